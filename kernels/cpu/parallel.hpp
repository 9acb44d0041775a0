#pragma once

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <algorithm>
#include <atomic>
#include <cstdint>

namespace seq::cpu {

/// About how many elements of simple work are worth a task of their own.
inline constexpr std::int64_t parallel_grain = 16384;

/// Calls body(first, last) over parts of [0, count) of at least `grain`, in the calling thread's arena.
template <class Body>
void parallel_for(std::int64_t count, std::int64_t grain, const Body& body) {
    if (count <= grain) {
        if (count > 0) body(std::int64_t{0}, count);
        return;
    }
    tbb::parallel_for(tbb::blocked_range<std::int64_t>(0, count, static_cast<std::size_t>(grain < 1 ? 1 : grain)),
                      [&](const tbb::blocked_range<std::int64_t>& range) { body(range.begin(), range.end()); });
}

/// Calls body(worker, next) in each worker, where next() gives the next task, or -1. Each takes one when it is done
/// with one, so that a core that is busy elsewhere holds up none.
template <class Body>
void share_tasks(std::int64_t workers, std::int64_t count, const Body& body) {
    std::atomic<std::int64_t> given{0};
    const auto next = [&given, count] {
        const std::int64_t task = given++;
        return task < count ? task : -1;
    };
    parallel_for(std::min(workers, count), 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t worker = first; worker < last; ++worker) body(worker, next);
    });
}

}  // namespace seq::cpu
