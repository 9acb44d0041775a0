#pragma once

#include "kernels/cuda/own/portable.hpp"

namespace seq::cuda::own {

struct Pixel {
    std::int64_t n = 0, c = 0;
    std::int64_t at[3] = {};  ///< in depth, height and width
};

/// [N, C, spatial...] seen as [N, C, D, H, W], with strides in elements; dimensions that are not there are 1.
struct Image {
    std::int64_t batch = 1, channels = 1;
    std::int64_t size[3] = {1, 1, 1};
    std::int64_t batch_stride = 0, channel_stride = 0;
    std::int64_t stride[3] = {};

    SEQ_BODY std::int64_t volume() const { return size[0] * size[1] * size[2]; }
    /// Of the first pixel.
    SEQ_BODY std::int64_t plane(std::int64_t n, std::int64_t c) const { return n * batch_stride + c * channel_stride; }
};

/// The positions of an image in the order in which its elements lie, in groups of `width` channels or elements.
struct ImageSpace {
    Space space;
    int width = 1;
    bool channels_last = false;

    SEQ_BODY Pixel locate(std::int64_t position) const {
        std::int64_t at[max_dims];
        space.locate(position, at);
        at[4] *= width;
        Pixel pixel;
        pixel.n = at[0];
        pixel.c = channels_last ? at[4] : at[1];
        SEQ_UNROLL
        for (int i = 0; i < 3; ++i) pixel.at[i] = channels_last ? at[1 + i] : at[2 + i];
        return pixel;
    }
};

/// A window that slides over one dimension.
struct Slide {
    std::int64_t kernel = 1, stride = 1, dilation = 1, pad_before = 0, pad_after = 0;
};

}  // namespace seq::cuda::own
