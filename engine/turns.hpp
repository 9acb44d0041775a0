#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace seq {

/// Gives callers that would slow each other down turns in which one is alone: as many calls in a row as it makes until
/// its turn is over. Those who wait come in the order in which they came. A caller that stays away leaves the rest of
/// its turn unused. Allocates nothing.
class Turns {
   public:
    using Clock = std::chrono::steady_clock;
    /// `now`: tells the time.
    explicit Turns(Clock::duration length, Clock::time_point (*now)() = Clock::now) : length_(length), now_(now) {}

    /// Returns when it is the turn of `caller` and nobody is between `begin` and `end`.
    void begin(const void* caller);
    void end();

   private:
    /// On the stack of who waits.
    struct Waiter {
        std::condition_variable called;
        Waiter* next = nullptr;
    };
    void wait_in_line(std::unique_lock<std::mutex>& lock);

    Clock::duration length_;
    Clock::time_point (*now_)();
    std::mutex mutex_;
    bool busy_ = false;
    const void* holder_ = nullptr;  ///< of the turn, or of the last one
    Clock::time_point over_{};      ///< when it is; long ago where it was seen to be
    Waiter *first_ = nullptr, *last_ = nullptr;
};

}  // namespace seq
