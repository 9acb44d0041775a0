#pragma once

#include "kernels/cpu/depthwise/rows.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu::depthwise {
namespace {

using V = Vector;

template <int Count>
[[gnu::always_inline]] inline void prefetch_columns(const float* input, std::int64_t stride) {
#pragma GCC unroll 32
    for (int i = 0; i < Count; ++i, input += stride) _mm_prefetch(reinterpret_cast<const char*>(input), _MM_HINT_T0);
}

/// Some columns of outputs in one vector of channels. Where `Edge`, columns of the input may be in the padding.
template <int Width, int Stride, int Columns, bool Edge>
[[gnu::always_inline]] inline void sum_columns(const Row& row, std::int64_t left, std::int64_t channel, V::Mask mask,
                                               bool whole, V::Float (&sums)[Columns]) {
    constexpr int span = (Columns - 1) * Stride + Width;
    const float* weights = row.weights + channel / V::lanes * row.weight_stride + row.first_tap * Width * V::lanes;
    for (std::int64_t tap = row.first_tap; tap < row.last_tap; ++tap, weights += Width * V::lanes) {
        V::Float taps[Width];
        for (int k = 0; k < Width; ++k) taps[k] = V::load(weights + k * V::lanes);
        const float* input = row.lines[tap] + left * row.in_stride + channel;
        if (tap + 1 == row.last_tap) prefetch_columns<Columns * Stride>(input + span * row.in_stride, row.in_stride);
#pragma GCC unroll 32
        for (int i = 0; i < span; ++i, input += row.in_stride) {
            if (Edge && (left + i < 0 || left + i >= row.in_width)) continue;
            V::Float value = whole ? V::load(input) : V::load(input, mask);
            V::keep_in_register(value);
#pragma GCC unroll 32
            for (int t = 0; t < Columns; ++t) {
                const int k = i - t * Stride;
                if (k >= 0 && k < Width) sums[t] = V::fma(value, taps[k], sums[t]);
            }
        }
    }
}

template <int Width, int Stride, int Columns, bool Edge>
[[gnu::always_inline]] inline void run_channels(const Row& row, std::int64_t x, std::int64_t channel, bool whole,
                                                V::Float low, V::Float high) {
    const V::Mask mask = V::first(whole ? V::lanes : row.channels - channel);
    V::Float sums[Columns];
    for (int t = 0; t < Columns; ++t) sums[t] = V::load(row.bias + channel);
    sum_columns<Width, Stride, Columns, Edge>(row, x * Stride - row.pad_left, channel, mask, whole, sums);
    const std::int64_t out_stride = row.out_stride;
    float* output = row.output + x * out_stride + channel;
#pragma GCC unroll 32
    for (int t = 0; t < Columns; ++t, output += out_stride) {
        const V::Float value = V::at_most(V::at_least(sums[t], low), high);
        whole ? V::store(output, value) : V::store(output, value, mask);
    }
}

template <int Width, int Stride, int Columns, bool Edge>
void run_columns(const Row& row, std::int64_t x) {
    const V::Float low = V::splat(row.epilogue.low), high = V::splat(row.epilogue.high);
    std::int64_t channel = 0;
    for (; channel + V::lanes <= row.channels; channel += V::lanes)
        run_channels<Width, Stride, Columns, Edge>(row, x, channel, true, low, high);
    if (channel < row.channels) run_channels<Width, Stride, Columns, Edge>(row, x, channel, false, low, high);
    if (row.epilogue.function != nullptr) {
        row.epilogue.function(row.output + x * row.out_stride, row.out_stride, Columns, row.channels,
                              row.epilogue.parameters);
    }
}

template <int Width, int Stride, int Columns>
std::int64_t run_tiles(const Row& row, std::int64_t x) {
    for (; x + Columns <= row.out_width; x += Columns) {
        const std::int64_t left = x * Stride - row.pad_left;
        const bool inside = left >= 0 && left + (Columns - 1) * Stride + Width <= row.in_width;
        inside ? run_columns<Width, Stride, Columns, false>(row, x) : run_columns<Width, Stride, Columns, true>(row, x);
    }
    return x;
}

template <int Width, int Stride>
void run_row(const Row& row) {
    // More columns share what is read, where there are registers for them.
    const std::int64_t wide = V::lanes == 16 && Stride == 1 && Width > 3 ? run_tiles<Width, Stride, 14>(row, 0) : 0;
    const std::int64_t sevens = run_tiles<Width, Stride, 7>(row, wide);
    const std::int64_t fours = run_tiles<Width, Stride, 4>(row, sevens);
    run_tiles<Width, Stride, 1>(row, fours);
}

inline RowCode find_row_code(std::int64_t kernel_width, std::int64_t stride) {
    if (stride == 1 && kernel_width == 1) return run_row<1, 1>;
    if (stride == 1 && kernel_width == 2) return run_row<2, 1>;
    if (stride == 1 && kernel_width == 3) return run_row<3, 1>;
    if (stride == 2 && kernel_width == 3) return run_row<3, 2>;
    if (stride == 1 && kernel_width == 5) return run_row<5, 1>;
    if (stride == 2 && kernel_width == 5) return run_row<5, 2>;
    if (stride == 1 && kernel_width == 7) return run_row<7, 1>;
    return nullptr;
}

}  // namespace
}  // namespace seq::cpu::depthwise
