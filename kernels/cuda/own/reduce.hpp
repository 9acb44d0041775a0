#pragma once

#include <bitset>

#include "kernels/cuda/own/geometry.hpp"
#include "kernels/cuda/own/reduce_walk.hpp"

namespace seq::cuda::own {

/// Sums over some dimensions of `in`, into rows in row-major order of the others.
struct Reduction {
    ReduceWalk walk;
    std::int64_t rows = 0;
    RowShape shape = RowShape::wide;
};
Reduction reduction_of(const Placed& in, const std::bitset<max_rank>& reduced);

}  // namespace seq::cuda::own
