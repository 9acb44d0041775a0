#pragma once

#include <utility>

#include "kernels/cpu/few_channels/tile.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu::few_channels {
namespace {

using V = Vector;

template <int Windows, int Columns>
using Sums = V::Float[Windows][Columns];

/// One number of every fifth window, from which the others are reached with two strides.
template <int Windows, int Columns>
[[gnu::always_inline]] inline void multiply_tap(Sums<Windows, Columns>& sums, const float* first, std::int64_t stride,
                                                const float* panel) {
    const float* const fives[3] = {first, first + 5 * stride, first + 10 * stride};
    const std::int64_t stride3 = 3 * stride;
    V::Float weights[Columns];
    for (int j = 0; j < Columns; ++j) {
        weights[j] = V::load(panel + j * V::lanes);
        V::keep_in_register(weights[j]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < Windows; ++r) {
        const float* five = fives[r / 5];
        const V::Float value = V::splat(r % 5 == 3 ? five[stride3] : five[(r % 5) * stride]);
        for (int j = 0; j < Columns; ++j) sums[r][j] = V::fma(value, weights[j], sums[r][j]);
    }
}

template <int Windows, int Columns>
[[gnu::always_inline]] inline void store_tile(const Tile& t, const Sums<Windows, Columns>& sums) {
    const V::Mask last = V::first(t.columns - (Columns - 1) * V::lanes);
    const V::Float low = V::splat(t.epilogue.low), high = V::splat(t.epilogue.high);
    float* row = t.output;
#pragma GCC unroll 16
    for (int r = 0; r < Windows; ++r, row += t.output_stride) {
        for (int j = 0; j < Columns; ++j) {
            const V::Float value = V::at_most(V::at_least(sums[r][j], low), high);
            j + 1 < Columns ? V::store(row + j * V::lanes, value) : V::store(row + j * V::lanes, value, last);
        }
    }
    if (t.epilogue.function != nullptr)
        t.epilogue.function(t.output, t.output_stride, Windows, t.columns, t.epilogue.parameters);
}

template <int Windows, int Columns>
void multiply(const Tile& tile) {
    const Tile t = tile;
    Sums<Windows, Columns> sums;
    for (int j = 0; j < Columns; ++j) {
#pragma GCC unroll 16
        for (int r = 0; r < Windows; ++r) sums[r][j] = V::load(t.bias + j * V::lanes);
    }
    const float* panel = t.panel;
    for (std::int64_t k = 0; k < t.tap_count; ++k, panel += Columns * V::lanes)
        multiply_tap<Windows, Columns>(sums, t.first + t.taps[k], t.stride, panel);
    store_tile<Windows, Columns>(tile, sums);
}

template <int Columns, std::size_t... Windows>
constexpr void fill_window_counts(TileFunction* table, std::index_sequence<Windows...>) {
    ((table[Windows] = multiply<static_cast<int>(Windows) + 1, Columns>), ...);
}

struct Table {
    TileFunction functions[2][14] = {};
    constexpr Table() {
        fill_window_counts<1>(functions[0], std::make_index_sequence<tile_windows(V::lanes)>{});
        fill_window_counts<2>(functions[1], std::make_index_sequence<tile_windows(V::lanes)>{});
    }
};

constexpr Table table;

}  // namespace
}  // namespace seq::cpu::few_channels
