#pragma once

#include <oneapi/tbb/task_arena.h>

#include <chrono>
#include <deque>

#include "engine/plan.hpp"

namespace seq {

/// Whether what a run reads fits the caches of all threads together but not that of one, and is read once or a few
/// times: sessions that run it side by side read all of it from a shared cache, those in turns nearly nothing.
bool does_better_in_turns(const Plan& plan, const ComputeOptions& options);

/// The threads that one session computes with: all that its model may use, unless other sessions run beside it again
/// and again. Then it has its part of those that the process may use, so that threads wait for nobody and find in their
/// cores' caches what they left there, or, where `takes_turns`, all of them, in turns with others of that kind.
class ThreadShare {
   public:
    explicit ThreadShare(int threads);

    /// Calls body() in an arena of that many threads. Throws what it throws.
    template <class Body>
    void execute(bool takes_turns, const Body& body) {
        const Entry entry(*this, takes_turns);
        entry.arena.execute(body);
    }

   private:
    struct Entry {
        Entry(ThreadShare& owner, bool takes_turns) : share(owner), arena(owner.enter(takes_turns)) {}
        ~Entry() { share.leave(); }
        Entry(const Entry&) = delete;
        ThreadShare& share;
        oneapi::tbb::task_arena& arena;
    };
    oneapi::tbb::task_arena& enter(bool takes_turns);
    void leave();
    oneapi::tbb::task_arena& part_among(int sessions);

    int threads_;
    /// Of `threads_`, half as many, a quarter and so on, down to one.
    std::deque<oneapi::tbb::task_arena> arenas_;
    /// Whether others were running when the last run began. One that merely meets another is left to oneTBB, which
    /// moves threads to it as soon as the other ends.
    bool had_company_ = false;
    std::chrono::steady_clock::time_point left_;  ///< when that run ended, if it had company
    bool in_turn_ = false;
};

}  // namespace seq
