#pragma once

#include <utility>

#include "kernels/cpu/small/dots_body.hpp"
#include "kernels/cpu/small/routines.hpp"

// The bodies of Routines over V, a class of functions on vectors that each file that includes this has for itself:
// Vec, lanes, positions[2], zero, load, store, splat (of a float in memory), add, mul, fma(a, b, c) = a · b + c,
// max and min(bound, x) that give x where it is NaN, and max_or_nan(a, b).
namespace seq::cpu::small {
namespace {

#define SEQ_SMALL_INLINE [[gnu::always_inline]] inline

/// So many partial sums that each multiply-add waits for none before it.
constexpr int partial_sums(int positions, int columns) {
    const int sums = positions * columns;
    return sums >= 8 ? 1 : sums >= 4 ? 2 : 4;
}

/// Positions in threes, so that few registers address them; one register where the stride is known (not 0).
constexpr int pointers(int positions, int stride) { return stride != 0 ? 1 : (positions + 2) / 3; }
template <int Positions, int Stride>
using Pointers = const float * [pointers(Positions, Stride)];

template <class V, int Positions, int Columns, int Stride>
SEQ_SMALL_INLINE void multiply_tap(const Pointers<Positions, Stride>& at, std::int64_t stride, std::int64_t tap,
                                   const float* weights, typename V::Vec (&sums)[Positions][Columns]) {
    typename V::Vec w[Columns];
    for (int c = 0; c < Columns; ++c) w[c] = V::load(weights + c * V::lanes);
#pragma GCC unroll 16
    for (int r = 0; r < Positions; ++r) {
        const auto value = V::splat(Stride != 0 ? at[0] + r * Stride + tap : at[r / 3] + (r % 3) * stride + tap);
        for (int c = 0; c < Columns; ++c) sums[r][c] = V::fma(value, w[c], sums[r][c]);
    }
}

template <class V, int Positions, int Columns, int Stride>
SEQ_SMALL_INLINE void multiply_tile(const Product& p, const float* input, float* output) {
    constexpr int split = partial_sums(Positions, Columns);
    const std::int64_t stride = p.position_stride;
    typename V::Vec sums[split][Positions][Columns];
    for (int c = 0; c < Columns; ++c) {
        const auto bias = V::load(p.bias + c * V::lanes);
        for (int r = 0; r < Positions; ++r) {
            sums[0][r][c] = bias;
            for (int s = 1; s < split; ++s) sums[s][r][c] = V::zero();
        }
    }
    const float* weights = p.weights;
    for (const Run* run = p.runs; run != p.runs_end; ++run) {
        Pointers<Positions, Stride> at;
        for (int i = 0; i < pointers(Positions, Stride); ++i) at[i] = input + run->offset + 3 * i * stride;
        const float* const end = weights + run->count * Columns * V::lanes;
        if constexpr (split > 1) {
            for (; end - weights >= split * Columns * V::lanes; weights += split * Columns * V::lanes) {
#pragma GCC unroll 4
                for (int s = 0; s < split; ++s)
                    multiply_tap<V, Positions, Columns, Stride>(at, stride, s, weights + s * Columns * V::lanes,
                                                                sums[s]);
                for (auto& pointer : at) pointer += split;
            }
        }
        for (; weights != end; weights += Columns * V::lanes) {
            multiply_tap<V, Positions, Columns, Stride>(at, stride, 0, weights, sums[0]);
            for (auto& pointer : at) {
                ++pointer;
                // GCC would carry what neighbouring positions share from tap to tap, and broadcast it from registers.
                asm("" : "+r"(pointer));
            }
        }
    }
    const auto low = V::splat(&p.low), high = V::splat(&p.high);
    for (int r = 0; r < Positions; ++r) {
        for (int c = 0; c < Columns; ++c) {
            auto sum = sums[0][r][c];
            for (int s = 1; s < split; ++s) sum = V::add(sum, sums[s][r][c]);
            V::store(output + r * p.out_position_stride + c * p.out_column_stride, V::min(high, V::max(low, sum)));
        }
    }
}

template <class V, int Positions, int Columns, int Stride>
void multiply(const Product& p) {
    for (std::int64_t line = 0; line < p.lines; ++line) {
        const float* input = p.input + line * p.line_stride;
        float* output = p.output + line * p.out_line_stride;
        for (std::int64_t tile = 0; tile < p.tiles; ++tile) {
            multiply_tile<V, Positions, Columns, Stride>(p, input, output);
            input += Positions * p.position_stride;
            output += Positions * p.out_position_stride;
        }
    }
}

template <class V, bool Largest>
SEQ_SMALL_INLINE typename V::Vec merge(typename V::Vec a, typename V::Vec b) {
    if constexpr (Largest) return V::max_or_nan(a, b);
    return V::add(a, b);
}

/// A window of Rows × Columns elements in a row, or of any size where these are 0.
template <class V, bool Largest, int Rows, int Columns>
SEQ_SMALL_INLINE typename V::Vec pool_window(const PoolWork& p, const float* column, std::size_t y, std::size_t x) {
    const PoolAxis &height = p.plan->axes[1], &width = p.plan->axes[2];
    const std::int64_t first = height.first[y], end = height.end[y], left = width.first[x], right = width.end[x];
    const float* corner = column + (first - p.input_line) * p.line_stride + left * V::lanes;
    if constexpr (Rows > 0) {
        if (end - first == Rows && right - left == Columns) {
            auto total = V::load(corner);
#pragma GCC unroll 9
            for (int i = 1; i < Rows * Columns; ++i)
                total =
                    merge<V, Largest>(total, V::load(corner + i / Columns * p.line_stride + i % Columns * V::lanes));
            return total;
        }
    }
    auto total = V::splat(&p.plan->start);
    for (std::int64_t h = first; h < end; h += height.step, corner += height.step * p.line_stride) {
        auto part = V::splat(&p.plan->start);
        const float* pixel = corner;
        for (std::int64_t w = left; w < right; w += width.step, pixel += width.step * V::lanes)
            part = merge<V, Largest>(part, V::load(pixel));
        total = merge<V, Largest>(total, part);
    }
    return total;
}

template <class V, bool Largest, int Rows, int Columns>
void pool(const PoolWork& p) {
    const PoolAxis &height = p.plan->axes[1], &width = p.plan->axes[2];
    const auto columns = static_cast<std::size_t>(width.out);
    for (std::int64_t line = p.first; line < p.last; ++line) {
        const auto y = static_cast<std::size_t>(line);
        float* output = p.output + line * p.out_line_stride;
        for (std::size_t x = 0; x < columns; ++x, output += V::lanes) {
            auto value = pool_window<V, Largest, Rows, Columns>(p, p.input, y, x);
            if constexpr (!Largest) {
                const float count = p.plan->divides ? height.count[y] * width.count[x] : 1;
                const float scale = count == 0 ? 0 : p.plan->factor / count;
                value = V::mul(value, V::splat(&scale));
            }
            V::store(output, value);
        }
    }
}

template <class V, int Columns, std::size_t... I>
constexpr void fill_products(Routines& routines, std::index_sequence<I...>) {
    ((routines.product[0][Columns - 1][I] = multiply<V, static_cast<int>(I) + 1, Columns, 0>), ...);
    ((routines.product[1][Columns - 1][I] = multiply<V, static_cast<int>(I) + 1, Columns, 1>), ...);
}

template <class V, bool Largest>
constexpr void fill_pools(PoolFunction (&functions)[4]) {
    functions[0] = pool<V, Largest, 0, 0>;
    functions[1] = pool<V, Largest, 1, 2>;
    functions[2] = pool<V, Largest, 2, 2>;
    functions[3] = pool<V, Largest, 3, 3>;
}

template <class V>
constexpr Routines make_routines() {
    Routines made;
    made.lanes = V::lanes;
    made.positions[0] = V::positions[0];
    made.positions[1] = V::positions[1];
    fill_products<V, 1>(made, std::make_index_sequence<V::positions[0]>{});
    fill_products<V, 2>(made, std::make_index_sequence<V::positions[1]>{});
    made.dot = dot<V>;
    fill_pools<V, true>(made.largest);
    fill_pools<V, false>(made.mean);
    return made;
}

}  // namespace
}  // namespace seq::cpu::small
