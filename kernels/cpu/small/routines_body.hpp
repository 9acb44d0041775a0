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

/// The positions that a tile computes: `Outputs` of a line, or the 2×2 of each, of which the largest is the output.
template <int Outputs, bool Pooled, int Stride>
struct Shape {
    static constexpr int step = Pooled ? 2 : 1;
    static constexpr int width = Outputs * step, positions = width * step;
    /// Of a line. Positions go in threes, so that few registers address them; one where the stride is known (not 0).
    static constexpr int pointers = Stride != 0 ? 1 : (width + 2) / 3;
    using Pointers = const float * [step * pointers];

    SEQ_SMALL_INLINE static const float* find(const Pointers& at, int position, std::int64_t stride) {
        const int line = position / width, x = position % width;
        return Stride != 0 ? at[line] + x * Stride : at[line * pointers + x / 3] + x % 3 * stride;
    }
};

template <class V, class Tile, int Columns>
SEQ_SMALL_INLINE void multiply_tap(const typename Tile::Pointers& at, std::int64_t stride, std::int64_t tap,
                                   const float* weights, typename V::Vec (&sums)[Tile::positions][Columns]) {
    typename V::Vec w[Columns];
    for (int c = 0; c < Columns; ++c) w[c] = V::load(weights + c * V::lanes);
#pragma GCC unroll 16
    for (int r = 0; r < Tile::positions; ++r) {
        const auto value = V::splat(Tile::find(at, r, stride) + tap);
        for (int c = 0; c < Columns; ++c) sums[r][c] = V::fma(value, w[c], sums[r][c]);
    }
}

template <class V, class Tile, int Columns>
SEQ_SMALL_INLINE void multiply_taps(const Product& p, const float* input,
                                    typename V::Vec (&sums)[Tile::positions][Columns]) {
    constexpr int positions = Tile::positions, split = partial_sums(positions, Columns);
    const std::int64_t stride = p.position_stride;
    typename V::Vec partial[split][positions][Columns];
    for (int c = 0; c < Columns; ++c) {
        const auto bias = V::load(p.bias + c * V::lanes);
        for (int r = 0; r < positions; ++r) {
            partial[0][r][c] = bias;
            for (int s = 1; s < split; ++s) partial[s][r][c] = V::zero();
        }
    }
    const float* weights = p.weights;
    for (const Run* run = p.runs; run != p.runs_end; ++run) {
        typename Tile::Pointers at;
        for (int line = 0; line < Tile::step; ++line) {
            for (int i = 0; i < Tile::pointers; ++i)
                at[line * Tile::pointers + i] = input + run->offset + line * p.line_stride + 3 * i * stride;
        }
        const float* const end = weights + run->count * Columns * V::lanes;
        if constexpr (split > 1) {
            for (; end - weights >= split * Columns * V::lanes; weights += split * Columns * V::lanes) {
#pragma GCC unroll 4
                for (int s = 0; s < split; ++s)
                    multiply_tap<V, Tile, Columns>(at, stride, s, weights + s * Columns * V::lanes, partial[s]);
                for (auto& pointer : at) pointer += split;
            }
        }
        for (; weights != end; weights += Columns * V::lanes) {
            multiply_tap<V, Tile, Columns>(at, stride, 0, weights, partial[0]);
            for (auto& pointer : at) {
                ++pointer;
                // GCC would carry what neighbouring positions share from tap to tap, and broadcast it from registers.
                asm("" : "+r"(pointer));
            }
        }
    }
    for (int r = 0; r < positions; ++r) {
        for (int c = 0; c < Columns; ++c) {
            sums[r][c] = partial[0][r][c];
            for (int s = 1; s < split; ++s) sums[r][c] = V::add(sums[r][c], partial[s][r][c]);
        }
    }
}

template <class V, int Outputs, int Columns, bool Pooled, int Stride>
SEQ_SMALL_INLINE void multiply_tile(const Product& p, const float* input, float* output) {
    using Tile = Shape<Outputs, Pooled, Stride>;
    typename V::Vec sums[Tile::positions][Columns];
    multiply_taps<V, Tile, Columns>(p, input, sums);
    const auto low = V::splat(&p.low), high = V::splat(&p.high);
    for (int o = 0; o < Outputs; ++o) {
        for (int c = 0; c < Columns; ++c) {
            auto value = sums[o * Tile::step][c];
            if constexpr (Pooled) {
                const auto above = V::max_or_nan(value, sums[2 * o + 1][c]);
                const auto below = V::max_or_nan(sums[Tile::width + 2 * o][c], sums[Tile::width + 2 * o + 1][c]);
                value = V::max_or_nan(above, below);
            }
            V::store(output + o * p.out_position_stride + c * p.out_column_stride, V::min(high, V::max(low, value)));
        }
    }
}

template <class V, int Outputs, int Columns, bool Pooled, int Stride>
void multiply(const Product& p) {
    constexpr int step = Shape<Outputs, Pooled, Stride>::step;
    for (std::int64_t line = 0; line < p.lines; ++line) {
        const float* input = p.input + line * step * p.line_stride;
        float* output = p.output + line * p.out_line_stride;
        for (std::int64_t tile = 0; tile < p.tiles; ++tile) {
            multiply_tile<V, Outputs, Columns, Pooled, Stride>(p, input, output);
            input += Outputs * step * p.position_stride;
            output += Outputs * p.out_position_stride;
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

template <class V, int Columns, bool Pooled, std::size_t... I>
constexpr void fill_products(ProductTable& table, std::index_sequence<I...>) {
    table.most[Columns - 1] = sizeof...(I);
    ((table.functions[0][Columns - 1][I] = multiply<V, static_cast<int>(I) + 1, Columns, Pooled, 0>), ...);
    ((table.functions[1][Columns - 1][I] = multiply<V, static_cast<int>(I) + 1, Columns, Pooled, 1>), ...);
}

template <class V, bool Pooled>
constexpr ProductTable make_products() {
    constexpr std::size_t share = Pooled ? 4 : 1;
    ProductTable made;
    made.step = Pooled ? 2 : 1;
    fill_products<V, 1, Pooled>(made, std::make_index_sequence<V::positions[0] / share>{});
    fill_products<V, 2, Pooled>(made, std::make_index_sequence<V::positions[1] / share>{});
    return made;
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
    made.product = make_products<V, false>();
    made.pooled_product = make_products<V, true>();
    made.dot = dot<V>;
    fill_pools<V, true>(made.largest);
    fill_pools<V, false>(made.mean);
    return made;
}

}  // namespace
}  // namespace seq::cpu::small
