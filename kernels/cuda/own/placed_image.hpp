#pragma once

#include <optional>

#include "graph/ops/common.hpp"
#include "kernels/cuda/own/geometry.hpp"
#include "kernels/cuda/own/image.hpp"

namespace seq::cuda::own {

/// Of a value of 3 to 5 dimensions.
Image image_of(const Placed& placed);
ImageSpace image_space_of(const Placed& placed, int width = 1);

/// Whether its channels lie together in groups of `width`, one pixel after the other.
bool has_groups_of_channels(const Placed& placed, int width);

/// The windows of an op over D, H and W; a dimension that is not there has a window of one element.
template <int N, class T>
void slides_of(const T& op, Slide (&slides)[3]) {
    for (int i = 0; i < N; ++i) {
        const ops::Window window = op.window(i);
        slides[3 - N + i] = {window.kernel, window.stride, window.dilation, window.pad_before, window.pad_after};
    }
}

}  // namespace seq::cuda::own
