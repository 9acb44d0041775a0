#pragma once

#include <cstdint>

#include "kernels/cpu/fused_function.hpp"

// Depthwise convolution of activations whose channels lie innermost, one row of outputs at a time.
namespace seq::cpu::depthwise {

/// A row of outputs, in some of the channels.
struct Row {
    /// Where the kernel's rows meet the input, at column 0 and the first of these channels; those of the taps from
    /// `first_tap` to before `last_tap`, the others being in the padding.
    const float* const* lines = nullptr;
    std::int64_t first_tap = 0, last_tap = 0;
    std::int64_t in_width = 0;
    std::int64_t in_stride = 0;  ///< between columns, in floats
    std::int64_t kernel_width = 0, stride = 1, pad_left = 0;
    /// [channels / lanes][tap][kernel column][lanes]; `weight_stride` floats from one block of channels to the next.
    const float* weights = nullptr;
    std::int64_t weight_stride = 0;
    const float* bias = nullptr;  ///< padded to whole vectors
    float* output = nullptr;
    std::int64_t out_width = 0;
    std::int64_t out_stride = 0;
    std::int64_t channels = 0;
    SumEpilogue epilogue;
};

using RowCode = void (*)(const Row& row);

/// Kernels of 1, 2, 3, 5 and 7 columns and small strides have code of their own.
RowCode row_code_avx512(std::int64_t kernel_width, std::int64_t stride);
RowCode row_code_avx2(std::int64_t kernel_width, std::int64_t stride);
/// Not for Isa::scalar.
RowCode row_code(std::int64_t kernel_width, std::int64_t stride, Isa isa);

}  // namespace seq::cpu::depthwise
