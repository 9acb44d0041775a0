#pragma once

#include <tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "kernels/cpu/parallel.hpp"

namespace seq::cpu {

/// Tasks [0, count) dealt to workers: each takes those of its own part in order, so that in layer after layer a core
/// finds what it wrote itself, then what is left of the parts of others, so that a core that is busy holds up none.
/// `backwards`: each part from its last task to its first.
class TaskRanges {
   public:
    static constexpr std::int64_t max_workers = 64;

    TaskRanges(std::int64_t count, std::int64_t workers, bool backwards = false)
        : workers_(std::clamp<std::int64_t>(workers, 1, max_workers)), backwards_(backwards) {
        for (std::int64_t w = 0; w < workers_; ++w) {
            Range& range = ranges_[static_cast<std::size_t>(w)];
            range.first = range.next = count * w / workers_;
            range.end = count * (w + 1) / workers_;
        }
    }
    std::int64_t workers() const { return workers_; }
    /// -1 where none is left.
    std::int64_t take(std::int64_t worker) {
        for (std::int64_t i = 0; i < workers_; ++i) {
            Range& range = ranges_[static_cast<std::size_t>((worker + i) % workers_)];
            if (range.next.load(std::memory_order_relaxed) >= range.end) continue;
            const std::int64_t task = range.next.fetch_add(1, std::memory_order_relaxed);
            if (task < range.end) return backwards_ ? range.first + range.end - 1 - task : task;
        }
        return -1;
    }

   private:
    struct alignas(64) Range {
        std::atomic<std::int64_t> next{0};
        std::int64_t first = 0, end = 0;
    };
    std::int64_t workers_;
    bool backwards_;
    std::array<Range, max_workers> ranges_;
};

/// Calls body(worker, task) for every task, with at most `workers` at a time; a worker's calls follow each other.
/// `backwards`: of TaskRanges.
template <class Body>
void run_tasks(std::int64_t count, std::int64_t workers, const Body& body, bool backwards = false) {
    const std::int64_t there = workers > 1 ? tbb::this_task_arena::max_concurrency() : 1;
    TaskRanges ranges(count, std::min({workers, count, there}), backwards);
    parallel_for(ranges.workers(), 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t worker = first; worker < last; ++worker) {
            for (std::int64_t task = ranges.take(worker); task >= 0; task = ranges.take(worker)) body(worker, task);
        }
    });
}

}  // namespace seq::cpu
