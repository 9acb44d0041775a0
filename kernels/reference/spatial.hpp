#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "graph/ops/common.hpp"
#include "graph/tensor.hpp"

namespace seq::reference {

using Sizes3 = std::array<std::int64_t, 3>;
using Windows3 = std::array<ops::Window, 3>;

/// [N, C, spatial...] seen as [N, C, D, H, W]; dimensions that are not there are 1.
struct Spatial {
    std::int64_t batch = 1;
    std::int64_t channels = 1;
    Sizes3 size{1, 1, 1};

    explicit Spatial(const TensorView& view) : batch(view.shape[0]), channels(view.shape[1]) {
        for (int i = 2; i < view.rank; ++i)
            size[static_cast<std::size_t>(5 - view.rank + i - 2)] = view.shape[static_cast<std::size_t>(i)];
    }
    std::int64_t volume() const { return size[0] * size[1] * size[2]; }
};

/// The windows of an op over D, H and W; a dimension that is not there has a window of one element.
template <int N, class T>
Windows3 windows_of(const T& op) {
    Windows3 windows;
    for (int i = 0; i < N; ++i) windows[static_cast<std::size_t>(3 - N + i)] = op.window(i);
    return windows;
}

/// Calls body(position, index) for each element of a volume, in memory order.
template <class F>
void for_each_position(const Sizes3& size, F&& body) {
    std::int64_t index = 0;
    for (std::int64_t d = 0; d < size[0]; ++d)
        for (std::int64_t h = 0; h < size[1]; ++h)
            for (std::int64_t w = 0; w < size[2]; ++w) body(Sizes3{d, h, w}, index++);
}

/// Elements begin, begin + step, ... below end of one dimension.
struct Range {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t step = 1;
};
using Box = std::array<Range, 3>;

/// Calls body(value) for each element of `box` in a plane of `size`.
template <class T, class F>
void for_each_element(const T* plane, const Sizes3& size, const Box& box, F&& body) {
    for (std::int64_t d = box[0].begin; d < box[0].end; d += box[0].step)
        for (std::int64_t h = box[1].begin; h < box[1].end; h += box[1].step)
            for (std::int64_t w = box[2].begin; w < box[2].end; w += box[2].step)
                body(plane[(d * size[1] + h) * size[2] + w]);
}

}  // namespace seq::reference
