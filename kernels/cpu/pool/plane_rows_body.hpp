#pragma once

#include <algorithm>

#include "graph/convert.hpp"
#include "kernels/cpu/pool/merge_body.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu {
namespace {

/// Columns of the lines of a window, merged, with room to read vectors beyond them.
using MergedColumns = float[PoolPlan::most_columns + 2 * V::lanes];

/// Merges the lines of a window in columns [begin, end), some vectors at a time.
template <PoolMode M, int Vectors, bool Whole, class In>
[[gnu::always_inline]] inline void merge_columns(const WindowLines<In>& lines, std::int64_t begin, float start,
                                                 float* merged, V::Mask last) {
    V::Float total[Vectors];
    for (V::Float& value : total) value = V::splat(start);
    const In* plane = lines.first + begin;
    for (std::int64_t d = 0; d < lines.depth; ++d, plane += lines.depth_step) {
        const In* line = plane;
        for (std::int64_t h = 0; h < lines.height; ++h, line += lines.height_step) {
            for (int j = 0; j < Vectors; ++j) {
                const In* lanes = line + j * V::lanes;
                total[j] = merge<M>(total[j], term<M>(Whole ? V::load(lanes) : V::load(lanes, last)));
            }
        }
    }
    for (int j = 0; j < Vectors; ++j) V::store(merged + j * V::lanes, total[j]);
}

template <PoolMode M, class In>
void merge_lines(const WindowLines<In>& lines, std::int64_t begin, std::int64_t end, float start, float* merged) {
    std::int64_t c = begin;
    const V::Mask tail = V::first((end - begin) % V::lanes);
    for (; c + 4 * V::lanes <= end; c += 4 * V::lanes)
        merge_columns<M, 4, true>(lines, c, start, merged + (c - begin), tail);
    for (; c + V::lanes <= end; c += V::lanes) merge_columns<M, 1, true>(lines, c, start, merged + (c - begin), tail);
    if (c < end) merge_columns<M, 1, false>(lines, c, start, merged + (c - begin), tail);
}

template <PoolMode M>
float merge_one(float a, float b) {
    if constexpr (M == PoolMode::largest) return b > a || b != b ? b : a;
    return a + b;
}

/// All of `count` merged columns, `step` apart.
template <PoolMode M>
float merge_all(const float* merged, std::int64_t count, std::int64_t step, float start) {
    float value = start;
    std::int64_t i = 0;
    if (step == 1 && count >= 2 * V::lanes) {
        V::Float total = V::load(merged);
        for (i = V::lanes; i + V::lanes <= count; i += V::lanes) total = merge<M>(total, V::load(merged + i));
        float lanes[V::lanes];
        V::store(lanes, total);
        for (const float lane : lanes) value = merge_one<M>(value, lane);
    }
    for (; i < count; ++i) value = merge_one<M>(value, merged[i * step]);
    return value;
}

inline void put(float* to, float value) { *to = value; }
inline void put(std::uint16_t* to, float value) { *to = f32_to_bf16(value); }

template <PoolMode M, class Out>
void put_one(Out* to, float merged, float scale) {
    if constexpr (M == PoolMode::mean) merged *= scale;
    if constexpr (M == PoolMode::root_of_squares) merged = __builtin_sqrtf(merged * scale);
    put(to, merged);
}

/// Numbers `Stride` apart, or `stride` where that is 0.
template <int Stride>
[[gnu::always_inline]] inline V::Float load_each(const float* from, std::int64_t stride) {
    if constexpr (Stride == 1) return V::load(from);
    if constexpr (Stride == 2) return V::even(V::load(from), V::load(from + V::lanes));
    return V::load_each(from, stride);
}

/// `count` outputs of an even run, a vector of them or more; the last vector may overlap the one before.
template <PoolMode M, int Stride, class Out>
void put_even(const float* merged, const PoolAxis& width, std::int64_t count, float start, float scale, Out* to) {
    const std::int64_t stride = width.even.stride;
    for (std::int64_t at = 0; at < count; at += V::lanes) {
        const std::int64_t x = std::min(at, count - V::lanes);
        V::Float total = V::splat(start);
        const float* from = merged + x * stride;
        for (std::int64_t tap = 0; tap < width.even.taps; ++tap, from += width.step)
            total = merge<M>(total, load_each<Stride>(from, stride));
        V::store(to + x, finish<M>(total, scale));
    }
}

/// For the usual strides with theirs as a constant.
template <PoolMode M, class Out>
void put_even(const float* merged, const PoolAxis& width, std::int64_t count, float start, float scale, Out* to) {
    switch (width.even.stride) {
        case 1: return put_even<M, 1>(merged, width, count, start, scale, to);
        case 2: return put_even<M, 2>(merged, width, count, start, scale, to);
        default: return put_even<M, 0>(merged, width, count, start, scale, to);
    }
}

/// A window that is wider than the merged columns that there is room for.
template <PoolMode M, class In>
float merge_wide(const PoolPlan& plan, const WindowLines<In>& lines, std::size_t x, float* merged) {
    const PoolAxis& width = plan.axes[2];
    const std::int64_t most = std::max<std::int64_t>(PoolPlan::most_columns / width.step, 1);
    float value = plan.start;
    for (std::int64_t tap = 0; tap < width.taps(x); tap += most) {
        const std::int64_t count = std::min(most, width.taps(x) - tap), begin = width.first[x] + tap * width.step;
        merge_lines<M>(lines, begin, begin + (count - 1) * width.step + 1, plan.start, merged);
        value = merge_one<M>(value, merge_all<M>(merged, count, width.step, plan.start));
    }
    return value;
}

/// Pixels of one number: the plain layout. The lines of a window are merged first, over many columns at once.
template <PoolMode M, class In, class Out>
void plane_rows(const PoolPlan* of, const void* source, void* target, std::int64_t first, std::int64_t last) {
    const PoolPlan& plan = *of;
    const PoolAxis& width = plan.axes[2];
    alignas(64) MergedColumns merged;
    Out* to = static_cast<Out*>(target) + first * width.out;
    for (std::int64_t r = first; r < last; ++r, to += width.out) {
        const WindowLines<In> lines(plan, source, r);
        for (const LinePart& part : plan.parts) {
            if (!part.wide) merge_lines<M>(lines, part.begin, part.end, plan.start, merged);
            std::int64_t x = part.first;
            while (x < part.last) {
                const std::int64_t count = x < width.even.first ? 0 : std::min(width.even.last, part.last) - x;
                const auto i = static_cast<std::size_t>(x);
                const float scale = M == PoolMode::largest ? 1 : lines.scale(plan, x);
                if (count >= V::lanes) {
                    put_even<M>(merged + (width.first[i] - part.begin), width, count, plan.start, scale, to + x);
                    x += count;
                    continue;
                }
                const float value = part.wide ? merge_wide<M>(plan, lines, i, merged)
                                              : merge_all<M>(merged + (width.first[i] - part.begin), width.taps(i),
                                                             width.step, plan.start);
                put_one<M>(to + x++, value, scale);
            }
        }
    }
}

}  // namespace
}  // namespace seq::cpu
