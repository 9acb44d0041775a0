#pragma once

#include "kernels/cuda/own/portable.hpp"
#include "kernels/device.hpp"

namespace seq::cuda::own {

enum class Border : std::uint8_t { constant, reflect, replicate, circular };

/// Over the dimensions of the output as they lie. Elements of `bytes` bytes are copied from the position that each
/// shows, or are `fill`'s first bytes.
struct PadWalk {
    Space space;
    Strides from;
    struct Axis {
        std::int64_t before = 0;             ///< what is added in front; negative where that is cut off
        std::int64_t size = 1;               ///< of the input
        std::int64_t first = 0, period = 1;  ///< of what circular padding repeats
    };
    Axis axes[max_dims];
    Border border = Border::constant;
    const void* source = nullptr;
    void* target = nullptr;
    std::uint64_t fill = 0;
    int bytes = 4;
};

void launch_pad(DeviceQueue& queue, const PadWalk& walk, std::int64_t count);

/// The element at position `i` of a padded dimension of `size`; -1: none, the fill value.
SEQ_BODY std::int64_t reflected(std::int64_t i, std::int64_t size) {
    return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
}

}  // namespace seq::cuda::own
