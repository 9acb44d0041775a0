#pragma once

#include "kernels/cpu/pool/merge_body.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu {
namespace {

/// The windows of pixels of some numbers of one row of outputs.
template <class In>
struct PixelWindow {
    WindowLines<In> lines;
    std::int64_t columns = 0, column_step = 0;  ///< the latter in numbers
    float start = 0;                            ///< PoolPlan::start
    float scale = 1;                            ///< what a sum is multiplied by
};

/// Writes the results of some vectors of channels, of which the last one is masked where `Whole` does not hold. Sums
/// of lines are added up, so that those of many numbers stay accurate.
template <PoolMode M, int Vectors, bool Whole, class In, class Out>
[[gnu::always_inline]] inline void put_window(const PixelWindow<In>& window, std::int64_t offset, Out* to,
                                              V::Mask last) {
    constexpr bool sums = M != PoolMode::largest;
    const auto whole = [](int j) { return Whole || j + 1 < Vectors; };
    V::Float total[Vectors];
    for (V::Float& value : total) value = V::splat(window.start);
    const In* plane = window.lines.first + offset;
    for (std::int64_t d = 0; d < window.lines.depth; ++d, plane += window.lines.depth_step) {
        const In* row = plane;
        for (std::int64_t h = 0; h < window.lines.height; ++h, row += window.lines.height_step) {
            const In* pixel = row;
            V::Float part[Vectors];
            for (int j = 0; j < Vectors; ++j) part[j] = sums ? V::splat(window.start) : total[j];
            for (std::int64_t w = 0; w < window.columns; ++w, pixel += window.column_step) {
                for (int j = 0; j < Vectors; ++j) {
                    const In* lanes = pixel + j * V::lanes;
                    part[j] = merge<M>(part[j], term<M>(whole(j) ? V::load(lanes) : V::load(lanes, last)));
                }
            }
            for (int j = 0; j < Vectors; ++j) total[j] = sums ? V::add(total[j], part[j]) : part[j];
        }
    }
    for (int j = 0; j < Vectors; ++j) {
        const V::Float value = finish<M>(total[j], window.scale);
        whole(j) ? V::store(to + j * V::lanes, value) : V::store(to + j * V::lanes, value, last);
    }
}

/// Pixels of several numbers: channels-last and blocked layouts.
template <PoolMode M, class In, class Out>
void pixel_rows(const PoolPlan* of, const void* source, void* target, std::int64_t first, std::int64_t last) {
    const PoolPlan& plan = *of;
    const PoolAxis& width = plan.axes[2];
    const V::Mask tail = V::first(plan.width % V::lanes);
    Out* to = static_cast<Out*>(target) + first * width.out * plan.width;
    for (std::int64_t r = first; r < last; ++r) {
        PixelWindow<In> window{{plan, source, r}, 0, width.step * plan.width, plan.start};
        for (std::int64_t x = 0; x < width.out; ++x, to += plan.width) {
            window.columns = width.taps(static_cast<std::size_t>(x));
            const std::int64_t offset = width.first[static_cast<std::size_t>(x)] * plan.width;
            if constexpr (M != PoolMode::largest) window.scale = window.lines.scale(plan, x);
            std::int64_t c = 0;
            for (; c + 4 * V::lanes <= plan.width; c += 4 * V::lanes)
                put_window<M, 4, true>(window, offset + c, to + c, tail);
            for (; c + V::lanes <= plan.width; c += V::lanes) put_window<M, 1, true>(window, offset + c, to + c, tail);
            if (c < plan.width) put_window<M, 1, false>(window, offset + c, to + c, tail);
        }
    }
}

}  // namespace
}  // namespace seq::cpu
