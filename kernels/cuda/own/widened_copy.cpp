#include "kernels/cuda/own/widened_copy.hpp"

#include "kernels/cuda/own/geometry.hpp"

namespace seq::cuda::own {

WidenedCopy widened_copy(const Placed& input, std::int64_t channels, Storage to) {
    const std::int64_t images = input.sizes[0];
    const std::int64_t pixels = product(std::span(input.sizes).subspan(2));
    const bool innermost = input.layout.kind == LayoutKind::channels_last;
    WidenedCopy copy;
    copy.channels = input.sizes[1];
    copy.image_stride = copy.channels * pixels;
    copy.channel_stride = innermost ? 1 : pixels;
    copy.pixel_stride = innermost ? copy.channels : 1;
    copy.pixels = images * pixels;
    const std::int64_t count = copy.pixels * channels / 4;
    copy.pixels_of_image = divisor(pixels, count);
    copy.groups = divisor(channels / 4, count);
    copy.from = storage_of(input);
    copy.to = to;
    return copy;
}

std::size_t byte_count(const WidenedCopy& copy) {
    const std::int64_t element = copy.to == Storage::f32 ? 4 : 2;
    return static_cast<std::size_t>(copy.pixels * copy.groups.size * 4 * element);
}

}  // namespace seq::cuda::own
