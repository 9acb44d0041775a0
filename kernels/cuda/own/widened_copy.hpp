#pragma once

#include "kernels/cuda/own/portable.hpp"
#include "kernels/kernel.hpp"

namespace seq::cuda::own {

/// Copies [N, C, ...] into one with its channels innermost, of a type of its own, with further channels of zeros:
/// order, type and channels in one pass over memory.
struct WidenedCopy {
    /// Walks what is read by image, channel and pixel, in elements.
    std::int64_t image_stride = 0, channel_stride = 0, pixel_stride = 0;
    std::int64_t pixels = 0;  ///< of all images
    std::int64_t channels = 0;
    Divisor pixels_of_image;
    /// Groups of four channels that a pixel gets.
    Divisor groups;
    Storage from = Storage::f32, to = Storage::f32;
};

/// `input`: plain or channels_last; `channels`: a multiple of four, at least as many as it has.
WidenedCopy widened_copy(const Placed& input, std::int64_t channels, Storage to);

/// Bytes that the copy takes.
std::size_t byte_count(const WidenedCopy& copy);

/// `to` is aligned to 16 bytes.
void launch_widened_copy(DeviceQueue& queue, const WidenedCopy& copy, const void* from, void* to);

}  // namespace seq::cuda::own
