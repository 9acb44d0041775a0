#pragma once

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
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

}  // namespace seq::cpu
