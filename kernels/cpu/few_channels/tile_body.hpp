#pragma once

#include <utility>

#include "kernels/cpu/few_channels/tile.hpp"
#include "kernels/cpu/tile_sums.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu::few_channels {
namespace {

using V = Vector;

template <int Windows, int Columns>
[[gnu::always_inline]] inline void store_tile(const Tile& tile, TileSums<Windows, Columns>& sums) {
    const V::Mask last = V::first(tile.columns - (Columns - 1) * V::lanes);
    const V::Float low = V::splat(tile.epilogue.low), high = V::splat(tile.epilogue.high);
    float* const output = tile.output;
    const std::int64_t stride = tile.output_stride;
    sums.by_row([=](int window, int column, V::Float& sum) __attribute__((always_inline)) {
        const V::Float value = V::at_most(V::at_least(sum, low), high);
        float* vector = output + window * stride + column * V::lanes;
        column + 1 < Columns ? V::store(vector, value) : V::store(vector, value, last);
    });
    if (tile.epilogue.function != nullptr)
        tile.epilogue.function(output, stride, Windows, tile.columns, tile.epilogue.parameters);
}

template <int Windows, int Columns>
void multiply(const Tile& tile) {
    const float *first = tile.first, *panel = tile.panel, *bias = tile.bias;
    const std::int64_t *tap = tile.taps, *const end = tap + tile.tap_count;
    const std::int64_t stride = tile.stride;
    TileSums<Windows, Columns> sums;
    sums.by_column([=](int, int column, V::Float& sum)
                       __attribute__((always_inline)) { sum = V::load(bias + column * V::lanes); });
    for (; tap != end; ++tap, panel += Columns * V::lanes) sums.multiply(Channel(first + *tap, stride), panel);
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
