#pragma once

#include <oneapi/tbb/task_arena.h>

#include <chrono>
#include <deque>

#include "engine/plan.hpp"

namespace seq {

/// Whether what a run reads fits the caches of all threads together but not that of one, and little is computed with
/// it: sessions that run it side by side read all of it from a shared cache, those in turns nearly nothing.
bool does_better_in_turns(const Plan& plan, const ComputeOptions& options);

/// The threads that one session computes with: all that its model may use, unless other sessions run beside it again
/// and again. Then it has its part of those that the process may use, so that threads wait for nobody and find in their
/// cores' caches what they left there, or, where `takes_turns` and runs follow each other without a pause, all of them,
/// in turns with others of that kind. A run waits for its turn a tenth of a second at most, and not at all in a task of
/// oneTBB, whose thread others need.
class ThreadShare {
   public:
    explicit ThreadShare(int threads);

    /// Calls body() in an arena of that many threads. Throws what it throws.
    template <class Body>
    void execute(bool takes_turns, const Body& body) {
        const Entry entry(*this, takes_turns);
        entry.arena.execute(body);
    }

    /// Whether the run that goes on has its turn.
    bool in_turn() const { return in_turn_; }

   private:
    struct Entry {
        Entry(ThreadShare& owner, bool takes_turns) : share(owner), arena(owner.enter(takes_turns)) {}
        ~Entry() { share.leave(); }
        Entry(const Entry&) = delete;
        ThreadShare& share;
        oneapi::tbb::task_arena& arena;
    };
    using Clock = std::chrono::steady_clock;

    oneapi::tbb::task_arena& enter(bool takes_turns);
    void leave();
    /// Whether this run has its turn. `pause`: since the last one ended.
    bool take_turn(Clock::time_point now, Clock::duration pause);
    oneapi::tbb::task_arena& part_among(int sessions);

    int threads_;
    /// Of `threads_`, half as many, a quarter and so on, down to one.
    std::deque<oneapi::tbb::task_arena> arenas_;
    /// Whether others were running when the last run began. One that merely meets another is left to oneTBB, which
    /// moves threads to it as soon as the other ends.
    bool had_company_ = false;
    Clock::time_point left_{};         ///< when that run ended, if it had company
    Clock::time_point loops_since_{};  ///< since when runs in company have followed each other, nearly without a pause
    bool in_turn_ = false;
    /// After a turn that did not come.
    Clock::time_point waits_not_until_{};
    Clock::duration waits_not_for_{};
};

}  // namespace seq
