#pragma once

#include <algorithm>

#include "kernels/cpu/depthwise/rows.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu::depthwise {
namespace {

using V = Vector;

/// Some columns of outputs: where their windows lie, and which columns of the kernel meet the input for all of them.
struct Windows {
    std::int64_t left = 0;  ///< the column of the input that the first one's column 0 meets; may be in the padding
    std::int64_t first_whole = 0, last_whole = 0;

    Windows(const Row& row, std::int64_t x, std::int64_t columns) : left(x * row.stride - row.pad_left) {
        const std::int64_t room = row.in_width - 1 - (columns - 1) * row.stride - left;
        if (left < 0) first_whole = std::min((-left + row.dilation - 1) / row.dilation, row.kernel_width);
        last_whole = std::clamp(room < 0 ? 0 : room / row.dilation + 1, first_whole, row.kernel_width);
    }
};

/// A vector of channels of an input pixel.
template <bool Whole, bool Several>
struct Pixel {
    V::Mask mask;
    V::Index index;

    Pixel(const Row& row, std::int64_t channel, const Spread* spread) {
        const std::int64_t left = Several ? row.in_channels - spread->first : row.channels - channel;
        mask = V::first(std::min<std::int64_t>(left, V::lanes));
        if constexpr (Several) index = V::load_index(spread->lanes);
    }
    [[gnu::always_inline]] V::Float load(const float* from) const {
        const V::Float value = Whole ? V::load(from) : V::load(from, mask);
        if constexpr (Several) return V::pick(value, index);
        return value;
    }
};

/// GCC 12 keeps the multiples of `step` on the stack, and loads one for each number that it then loads.
inline const float* next_address(const float* at, std::int64_t step) {
    at += step;
    asm("" : "+r"(at));
    return at;
}

template <int Columns, class Channels>
[[gnu::always_inline]] inline void sum_any(const Row& row, const Windows& windows, std::int64_t in_channel,
                                           const float* weights, const Channels& pixel, V::Float (&sums)[Columns]) {
    const std::int64_t step = row.stride * row.in_stride;
    weights += row.first_tap * row.kernel_width * V::lanes;
    for (std::int64_t tap = row.first_tap; tap < row.last_tap; ++tap) {
        const float* const line = row.lines[tap] + in_channel;
        const auto at_edge = [&](std::int64_t k, const float* weight) {
            const std::int64_t column = windows.left + k * row.dilation;
#pragma GCC unroll 16
            for (int t = 0; t < Columns; ++t) {
                const std::int64_t c = column + t * row.stride;
                if (c < 0 || c >= row.in_width) continue;
                sums[t] = V::fma(pixel.load(line + c * row.in_stride), V::load(weight), sums[t]);
            }
        };
        std::int64_t k = 0;
        for (; k < windows.first_whole; ++k, weights += V::lanes) at_edge(k, weights);
        const float* input = line + (windows.left + k * row.dilation) * row.in_stride;
        for (; k < windows.last_whole; ++k, weights += V::lanes, input += row.dilation * row.in_stride) {
            const V::Float weight = V::load(weights);
            const float* at = input;
#pragma GCC unroll 16
            for (int t = 0; t < Columns; ++t, at = next_address(at, step))
                sums[t] = V::fma(pixel.load(at), weight, sums[t]);
        }
        for (; k < row.kernel_width; ++k, weights += V::lanes) at_edge(k, weights);
    }
}

template <int Columns, bool Whole, bool Several>
void put_any(const Row& row, const Windows& windows, std::int64_t channel, float* output) {
    const Spread* const spread = Several ? row.spread + channel / V::lanes : nullptr;
    const Pixel<Whole && !Several, Several> pixel(row, channel, spread);
    const float* const weights = row.weights + channel / V::lanes * row.weight_stride;
    const V::Float low = V::splat(row.epilogue.low), high = V::splat(row.epilogue.high);
    V::Float sums[Columns];
    for (V::Float& sum : sums) sum = V::load(row.bias + channel);
    sum_any<Columns>(row, windows, Several ? spread->first : channel, weights, pixel, sums);
    const V::Mask mask = V::first(Whole ? V::lanes : row.channels - channel);
    output += channel;
#pragma GCC unroll 16
    for (int t = 0; t < Columns; ++t, output += row.out_stride) {
        const V::Float value = V::at_most(V::at_least(sums[t], low), high);
        Whole ? V::store(output, value) : V::store(output, value, mask);
    }
}

template <int Columns, bool Several>
void run_any_columns(const Row& row, std::int64_t x) {
    const Windows windows(row, x, Columns);
    float* const output = row.output + x * row.out_stride;
    std::int64_t channel = 0;
    for (; channel + V::lanes <= row.channels; channel += V::lanes)
        put_any<Columns, true, Several>(row, windows, channel, output);
    if (channel < row.channels) put_any<Columns, false, Several>(row, windows, channel, output);
    if (row.epilogue.function != nullptr)
        row.epilogue.function(output, row.out_stride, Columns, row.channels, row.epilogue.parameters);
}

/// As many columns as there are registers for; the last ones may be computed again by those that end the row.
template <bool Several>
void run_any_tiles(const Row& row) {
    constexpr int wide = V::lanes == 16 ? 16 : 8;
    const auto cover = [&](std::int64_t columns, void (*run)(const Row&, std::int64_t)) {
        for (std::int64_t x = 0; x < row.out_width; x += columns) run(row, std::min(x, row.out_width - columns));
    };
    if (row.out_width >= wide) return cover(wide, run_any_columns<wide, Several>);
    if (row.out_width >= 4) return cover(4, run_any_columns<4, Several>);
    cover(1, run_any_columns<1, Several>);
}

inline void run_any_row(const Row& row) {
    row.spread == nullptr ? run_any_tiles<false>(row) : run_any_tiles<true>(row);
}

}  // namespace
}  // namespace seq::cpu::depthwise
