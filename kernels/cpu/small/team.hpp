#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seq::cpu::small {

/// Lets workers share the tasks of one stage after another. Each worker takes its own part of a stage first, so that
/// it finds the same weights in its cache at each run, and then what others have not begun. No worker is waited for
/// before it has come: those that are there do everything.
class Team {
   public:
    static std::size_t bytes(std::size_t stages, int workers) {
        return (stages * (static_cast<std::size_t>(workers) + 1)) * sizeof(Counter);
    }

    /// `memory` has bytes(...), aligned to 64.
    Team(std::byte* memory, std::size_t stages, int workers);

    /// Calls run(task) for tasks of [0, count) until none is left, then waits until all are done, whoever does them.
    template <class Run>
    void share(std::size_t stage, int worker, std::int64_t count, const Run& run) {
        Counter* counters = counters_ + stage * (static_cast<std::size_t>(workers_) + 1);
        std::int64_t done = 0;
        for (int i = 0; i < workers_; ++i) {
            const int owner = (worker + i) % workers_;
            const std::int64_t first = owner * count / workers_, last = (owner + 1) * count / workers_;
            std::atomic<std::int64_t>& next = counters[owner].value;
            while (next.load(std::memory_order_relaxed) < last - first) {
                const std::int64_t task = first + next.fetch_add(1, std::memory_order_relaxed);
                if (task >= last) break;
                run(task);
                ++done;
            }
        }
        std::atomic<std::int64_t>& finished = counters[workers_].value;
        if (done > 0) finished.fetch_add(done, std::memory_order_release);
        wait_for(finished, count);
    }

   private:
    struct alignas(64) Counter {
        std::atomic<std::int64_t> value{0};
    };
    static void wait_for(const std::atomic<std::int64_t>& finished, std::int64_t count);

    Counter* counters_;
    int workers_;
};

}  // namespace seq::cpu::small
