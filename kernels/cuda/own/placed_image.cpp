#include "kernels/cuda/own/placed_image.hpp"

namespace seq::cuda::own {

Image image_of(const Placed& placed) {
    const Sizes strides = strides_of(placed);
    const std::size_t rank = placed.sizes.size();
    Image image;
    image.batch = placed.sizes[0];
    image.channels = placed.sizes[1];
    image.batch_stride = strides[0];
    image.channel_stride = strides[1];
    for (std::size_t i = 2; i < rank; ++i) {
        image.size[3 - rank + i] = placed.sizes[i];
        image.stride[3 - rank + i] = strides[i];
    }
    return image;
}

ImageSpace image_space_of(const Placed& placed, int width) {
    const Image image = image_of(placed);
    ImageSpace result;
    result.width = width;
    result.channels_last = placed.layout.kind == LayoutKind::channels_last;
    Sizes sizes{image.batch, image.channels, image.size[0], image.size[1], image.size[2]};
    sizes = to_physical(sizes, placed.layout);
    sizes.back() /= width;
    result.space = space_of(sizes);
    return result;
}

bool has_groups_of_channels(const Placed& placed, int width) {
    return placed.layout.kind == LayoutKind::channels_last && placed.sizes[1] % width == 0;
}

}  // namespace seq::cuda::own
