#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace seq {

/// Gives callers that would slow each other down turns in which one is alone: as many calls in a row as it makes until
/// its turn is over, or until it stays away. Those who wait come in the order in which they came, and nobody waits for
/// ever: whoever waits may hold what the others need to go on. Allocates nothing.
class Turns {
   public:
    using Clock = std::chrono::steady_clock;

    struct Times {
        Clock::duration turn;      ///< how long a turn is
        Clock::duration away;      ///< a holder that has made no call for so long has left its turn
        Clock::duration patience;  ///< how long a caller waits
    };
    explicit Turns(const Times& times) : times_(times) {}

    /// True when it is the turn of `caller` and nobody is between `begin` and `end`; false where that did not come to
    /// be in time, and the caller goes on without, and without `end`.
    bool begin(const void* caller);
    void end();

   private:
    /// On the stack of who waits.
    struct Waiter {
        std::condition_variable called;
        Waiter* next = nullptr;
    };
    bool may_begin(Clock::time_point now) const;
    bool wait_in_line(std::unique_lock<std::mutex>& lock);
    void leave_line(const Waiter& waiter);

    Times times_;
    std::mutex mutex_;
    bool busy_ = false;
    const void* holder_ = nullptr;  ///< of the turn, or of the last one
    Clock::time_point over_{};      ///< when it is
    Clock::time_point left_{};      ///< when the last call ended
    Waiter *first_ = nullptr, *last_ = nullptr;
};

}  // namespace seq
