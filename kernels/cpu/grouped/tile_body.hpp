#pragma once

#include <utility>

#include "kernels/cpu/grouped/tile.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu::grouped {
namespace {

using V = Vector;

/// `Count` pixels of a line: of every fifth a pointer, from which the others are reached with two strides.
template <int Count>
struct Pixels {
    const float* fives[(Count + 4) / 5];
    std::int64_t stride, stride3;

    [[gnu::always_inline]] Pixels(const float* first, std::int64_t stride) : stride(stride), stride3(3 * stride) {
        for (const float*& five : fives) {
            five = first;
            first += 5 * stride;
        }
    }
    [[gnu::always_inline]] const float* at(int i) const {
        const float* five = fives[i / 5];
        return i % 5 == 3 ? five + stride3 : five + (i % 5) * stride;
    }
    [[gnu::always_inline]] void advance() {
        for (const float*& five : fives) ++five;
    }
};

/// The sums of a tile. Every index is a constant before GCC looks for what may stay in registers.
template <int Stride, class Windows>
struct Sums;

template <int Stride, std::size_t... Window>
struct Sums<Stride, std::index_sequence<Window...>> {
    static constexpr int windows = sizeof...(Window);
    static constexpr int pixels = (windows - 1) * Stride + taps_across;
    V::Float sums[windows];

    /// Calls body(window, sum) for each.
    template <class Body>
    [[gnu::always_inline]] void each(const Body& body) {
        (body(static_cast<int>(Window), sums[Window]), ...);
    }
    /// Adds what a channel gives: get(pixel) is its number in a pixel, in all lanes.
    template <class Get>
    [[gnu::always_inline]] void multiply(const Get& get, const float* panel) {
        V::Float left = V::load(panel), middle = V::load(panel + V::lanes), right = V::load(panel + 2 * V::lanes);
        V::keep_in_register(left);
        V::keep_in_register(middle);
        V::keep_in_register(right);
        add_pixels(get, left, middle, right, std::make_index_sequence<pixels>());
    }

   private:
    template <class Get, std::size_t... Pixel>
    [[gnu::always_inline]] void add_pixels(const Get& get, V::Float left, V::Float middle, V::Float right,
                                           std::index_sequence<Pixel...>) {
        (add_pixel<static_cast<int>(Pixel)>(get(static_cast<int>(Pixel)), left, middle, right), ...);
    }
    template <int Pixel>
    [[gnu::always_inline]] void add_pixel(V::Float value, V::Float left, V::Float middle, V::Float right) {
        add<Pixel>(value, left);
        add<Pixel - 1>(value, middle);
        add<Pixel - 2>(value, right);
    }
    /// To the window that begins at this pixel, if there is one.
    template <int First>
    [[gnu::always_inline]] void add(V::Float value, V::Float weights) {
        if constexpr (First >= 0 && First % Stride == 0 && First / Stride < windows)
            sums[First / Stride] = V::fma(value, weights, sums[First / Stride]);
    }
};

template <int Windows, int Stride>
using TileSums = Sums<Stride, std::make_index_sequence<Windows>>;

template <int Windows, int Stride>
[[gnu::always_inline]] inline void multiply_group(TileSums<Windows, Stride>& sums, const Tile& tile) {
    const float* panel = tile.panel;
    for (std::int64_t line = 0; line < tile.lines; ++line) {
        Pixels<TileSums<Windows, Stride>::pixels> pixels(tile.first + tile.line_offsets[line], tile.pixel_stride);
        const float* const end = panel + tile.channels * taps_across * V::lanes;
        for (; panel != end; panel += taps_across * V::lanes) {
            sums.multiply(
                [&](int i) __attribute__((always_inline)) { return V::splat(*pixels.at(i)); }, panel);
            pixels.advance();
        }
    }
}

template <int Windows, int Stride>
[[gnu::always_inline]] inline void multiply_side_by_side(TileSums<Windows, Stride>& sums, const Tile& tile) {
    const float* panel = tile.panel;
    constexpr std::int64_t step = taps_across * V::lanes;
    for (std::int64_t line = 0; line < tile.lines; ++line, panel += 4 * step) {
        const Pixels<TileSums<Windows, Stride>::pixels> pixels(tile.first + tile.line_offsets[line], tile.pixel_stride);
        sums.multiply(
            [&](int i) __attribute__((always_inline)) { return V::of_fours<0>(pixels.at(i)); }, panel);
        sums.multiply(
            [&](int i) __attribute__((always_inline)) { return V::of_fours<1>(pixels.at(i)); }, panel + step);
        sums.multiply(
            [&](int i) __attribute__((always_inline)) { return V::of_fours<2>(pixels.at(i)); }, panel + 2 * step);
        sums.multiply(
            [&](int i) __attribute__((always_inline)) { return V::of_fours<3>(pixels.at(i)); }, panel + 3 * step);
    }
}

template <bool SideBySide, int Stride, int Windows>
void multiply(const Tile& tile) {
    TileSums<Windows, Stride> sums;
    const V::Float bias = V::load(tile.bias);
    sums.each([=](int, V::Float& sum) __attribute__((always_inline)) { sum = bias; });
    if constexpr (SideBySide) {
        multiply_side_by_side<Windows, Stride>(sums, tile);
    } else {
        multiply_group<Windows, Stride>(sums, tile);
    }
    const V::Mask mask = V::first(tile.columns);
    const std::int64_t stride = tile.output_stride;
    if (const float* residual = tile.residual; residual != nullptr) {
        sums.each([=](int window, V::Float& sum)
                      __attribute__((always_inline)) { sum = V::add(sum, V::load(residual + window * stride, mask)); });
    }
    const V::Float low = V::splat(tile.epilogue.low), high = V::splat(tile.epilogue.high);
    float* const output = tile.output;
    sums.each([=](int window, V::Float& sum) __attribute__((always_inline)) {
        V::store(output + window * stride, V::at_most(V::at_least(sum, low), high), mask);
    });
    if (tile.epilogue.function != nullptr)
        tile.epilogue.function(output, stride, Windows, tile.columns, tile.epilogue.parameters);
}

template <bool SideBySide, int Stride, std::size_t... Windows>
constexpr void fill_window_counts(TileFunction* functions, std::index_sequence<Windows...>) {
    ((functions[Windows] = multiply<SideBySide, Stride, static_cast<int>(Windows) + 1>), ...);
}

struct Table {
    TileFunction functions[2][2][14] = {};
    constexpr Table() {
        using Counts = std::make_index_sequence<tile_windows(V::lanes)>;
        fill_window_counts<false, 1>(functions[0][0], Counts());
        fill_window_counts<false, 2>(functions[0][1], Counts());
        fill_window_counts<true, 1>(functions[1][0], Counts());
        fill_window_counts<true, 2>(functions[1][1], Counts());
    }
};

constexpr Table table;

}  // namespace
}  // namespace seq::cpu::grouped
