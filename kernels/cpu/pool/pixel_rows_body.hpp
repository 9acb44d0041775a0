#pragma once

#include "kernels/cpu/pool/pixel_rows.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu {
namespace {

using V = Vector;

/// The pixels of one window within one plane.
struct Window {
    std::int64_t first = 0;  ///< in numbers, from the plane's start
    std::int64_t planes = 0, rows = 0, columns = 0;
    std::int64_t plane_step = 0, row_step = 0, column_step = 0;  ///< in numbers
    float start = 0;                                             ///< PoolPlan::start
    float scale = 1;                                             ///< what a sum is multiplied by
};

template <PoolMode M>
[[gnu::always_inline]] inline V::Float merge(V::Float a, V::Float b) {
    if constexpr (M == PoolMode::largest) return V::max_or_nan(a, b);
    return V::add(a, b);
}

/// Writes the results of some vectors of channels, of which the last one is masked where `Whole` does not hold. Sums
/// of lines are added up, so that those of many numbers stay accurate.
template <PoolMode M, int Vectors, bool Whole, class In, class Out>
[[gnu::always_inline]] inline void put_window(const Window& window, const In* from, Out* to, V::Mask last) {
    const auto whole = [](int j) { return Whole || j + 1 < Vectors; };
    V::Float total[Vectors];
    for (V::Float& value : total) value = V::splat(window.start);
    const In* plane = from + window.first;
    for (std::int64_t d = 0; d < window.planes; ++d, plane += window.plane_step) {
        const In* row = plane;
        for (std::int64_t h = 0; h < window.rows; ++h, row += window.row_step) {
            const In* pixel = row;
            V::Float part[Vectors];
            for (int j = 0; j < Vectors; ++j) part[j] = M == PoolMode::mean ? V::splat(window.start) : total[j];
            for (std::int64_t w = 0; w < window.columns; ++w, pixel += window.column_step) {
                for (int j = 0; j < Vectors; ++j) {
                    const In* lanes = pixel + j * V::lanes;
                    part[j] = merge<M>(part[j], whole(j) ? V::load(lanes) : V::load(lanes, last));
                }
            }
            for (int j = 0; j < Vectors; ++j) total[j] = M == PoolMode::mean ? V::add(total[j], part[j]) : part[j];
        }
    }
    for (int j = 0; j < Vectors; ++j) {
        if constexpr (M == PoolMode::mean) total[j] = V::mul(total[j], V::splat(window.scale));
        whole(j) ? V::store(to + j * V::lanes, total[j]) : V::store(to + j * V::lanes, total[j], last);
    }
}

template <PoolMode M, class In, class Out>
void pixel_rows(const PoolPlan* of, const void* source, void* target, std::int64_t first, std::int64_t last) {
    const PoolPlan& plan = *of;
    const auto& [depth, height, width] = plan.axes;
    const auto count_of = [](const PoolAxis& axis, std::size_t i) {
        return axis.end[i] > axis.first[i] ? (axis.end[i] - axis.first[i] + axis.step - 1) / axis.step : 0;
    };
    const std::int64_t row_size = width.in * plan.width, plane_size = height.in * row_size;
    const std::int64_t left = plan.width % V::lanes;
    const V::Mask tail = V::first(left);
    Window window;
    window.start = plan.start;
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
            if constexpr (M == PoolMode::mean) window.scale = plan.scale(z, y, x);
            std::int64_t c = 0;
            for (; c + 4 * V::lanes <= plan.width; c += 4 * V::lanes)
                put_window<M, 4, true>(window, from + c, to + c, tail);
            for (; c + V::lanes <= plan.width; c += V::lanes) put_window<M, 1, true>(window, from + c, to + c, tail);
            if (c < plan.width) put_window<M, 1, false>(window, from + c, to + c, tail);
        }
    }
}

template <PoolMode M>
PoolRows rows_of(PoolNumbers kept) {
    switch (kept) {
        case PoolNumbers::f32: break;
        case PoolNumbers::bf16: return pixel_rows<M, std::uint16_t, std::uint16_t>;
        case PoolNumbers::bf16_to_f32: return pixel_rows<M, std::uint16_t, float>;
    }
    return pixel_rows<M, float, float>;
}

inline PoolRows find_pixel_rows(PoolMode mode, PoolNumbers kept) {
    switch (mode) {
        case PoolMode::largest: return rows_of<PoolMode::largest>(kept);
        case PoolMode::mean: return rows_of<PoolMode::mean>(kept);
        case PoolMode::root_of_squares: break;
    }
    return nullptr;
}

}  // namespace
}  // namespace seq::cpu
