#pragma once

#include "kernels/cuda/own/geometry.hpp"
#include "kernels/device.hpp"

namespace seq::cuda::own {

/// Copies elements of `bytes` bytes each, at the positions of a space.
struct Move {
    std::vector<std::int64_t> sizes, from, to;  ///< of the same length: the space, and strides in elements
    std::int64_t from_offset = 0, to_offset = 0;
    std::int64_t bytes = 4;
};

/// As few dimensions as there may be, and elements as large.
Move simplified(Move move);

/// Of 1, 2, 4, 8 or 16 bytes, in at most max_dims dimensions.
void launch_move(DeviceQueue& queue, const Move& move, const void* source, void* target);

}  // namespace seq::cuda::own
