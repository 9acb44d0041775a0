#pragma once

#include "kernels/cpu/pool/max_pixels.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu {
namespace {

using V = Vector;

/// The pixels of one window within one plane.
struct Window {
    std::int64_t first = 0;  ///< in numbers, from the plane's start
    std::int64_t planes = 0, rows = 0, columns = 0;
    std::int64_t plane_step = 0, row_step = 0, column_step = 0;  ///< in numbers
};

/// Writes the maxima of some vectors of channels, of which the last one is masked where `Whole` does not hold.
template <int Vectors, bool Whole, class In, class Out>
[[gnu::always_inline]] inline void put_maxima(const Window& window, const In* from, Out* to, float start,
                                              V::Mask last) {
    const auto whole = [](int j) { return Whole || j + 1 < Vectors; };
    V::Float most[Vectors];
    for (V::Float& value : most) value = V::splat(start);
    const In* plane = from + window.first;
    for (std::int64_t d = 0; d < window.planes; ++d, plane += window.plane_step) {
        const In* row = plane;
        for (std::int64_t h = 0; h < window.rows; ++h, row += window.row_step) {
            const In* pixel = row;
            for (std::int64_t w = 0; w < window.columns; ++w, pixel += window.column_step) {
                for (int j = 0; j < Vectors; ++j) {
                    const In* lanes = pixel + j * V::lanes;
                    most[j] = V::max_or_nan(most[j], whole(j) ? V::load(lanes) : V::load(lanes, last));
                }
            }
        }
    }
    for (int j = 0; j < Vectors; ++j)
        whole(j) ? V::store(to + j * V::lanes, most[j]) : V::store(to + j * V::lanes, most[j], last);
}

template <class In, class Out>
void max_pixels(const PoolPlan* of, const void* source, void* target, std::int64_t first, std::int64_t last) {
    const PoolPlan& plan = *of;
    const auto& [depth, height, width] = plan.axes;
    const auto count_of = [](const PoolAxis& axis, std::size_t i) {
        return axis.end[i] > axis.first[i] ? (axis.end[i] - axis.first[i] + axis.step - 1) / axis.step : 0;
    };
    const std::int64_t row_size = width.in * plan.width, plane_size = height.in * row_size;
    const std::int64_t left = plan.width % V::lanes;
    const V::Mask tail = V::first(left);
    Window window;
    window.plane_step = depth.step * plane_size;
    window.row_step = height.step * row_size;
    window.column_step = width.step * plan.width;
    Out* to = static_cast<Out*>(target) + first * width.out * plan.width;
    for (std::int64_t r = first; r < last; ++r) {
        const auto z = static_cast<std::size_t>(r / height.out % depth.out),
                   y = static_cast<std::size_t>(r % height.out);
        const In* from = static_cast<const In*>(source) + r / (depth.out * height.out) * depth.in * plane_size;
        window.planes = count_of(depth, z);
        window.rows = count_of(height, y);
        for (std::size_t x = 0; x < static_cast<std::size_t>(width.out); ++x, to += plan.width) {
            window.columns = count_of(width, x);
            window.first = depth.first[z] * plane_size + height.first[y] * row_size + width.first[x] * plan.width;
            std::int64_t c = 0;
            for (; c + 4 * V::lanes <= plan.width; c += 4 * V::lanes)
                put_maxima<4, true>(window, from + c, to + c, plan.start, tail);
            for (; c + V::lanes <= plan.width; c += V::lanes)
                put_maxima<1, true>(window, from + c, to + c, plan.start, tail);
            if (c < plan.width) put_maxima<1, false>(window, from + c, to + c, plan.start, tail);
        }
    }
}

inline PoolRows find_max_pixels(PoolNumbers kept) {
    switch (kept) {
        case PoolNumbers::f32: break;
        case PoolNumbers::bf16: return max_pixels<std::uint16_t, std::uint16_t>;
        case PoolNumbers::bf16_to_f32: return max_pixels<std::uint16_t, float>;
    }
    return max_pixels<float, float>;
}

}  // namespace
}  // namespace seq::cpu
