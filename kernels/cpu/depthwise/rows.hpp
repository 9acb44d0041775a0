#pragma once

#include <cstdint>

#include "kernels/cpu/fused_function.hpp"

// Depthwise convolution of activations whose channels lie innermost, one row of outputs at a time.
namespace seq::cpu::depthwise {

/// Where a vector of output channels finds its input channels, where each of these gives several.
struct Spread {
    std::int64_t first = 0;       ///< input channel of lane 0
    std::int32_t lanes[16] = {};  ///< of each lane, counted from `first`
};

/// A row of outputs, in some of the channels.
struct Row {
    /// Where the kernel's rows meet the input, at column 0 and the first of these channels; those of the taps from
    /// `first_tap` to before `last_tap`, the others being in the padding.
    const float* const* lines = nullptr;
    std::int64_t first_tap = 0, last_tap = 0;
    std::int64_t in_width = 0;
    std::int64_t in_stride = 0;  ///< between columns, in floats
    std::int64_t kernel_width = 0, stride = 1, pad_left = 0;
    std::int64_t dilation = 1;  ///< between columns of the kernel; above 1 for row_code_any alone
    /// [channels / lanes][tap][kernel column][lanes]; `weight_stride` floats from one block of channels to the next.
    const float* weights = nullptr;
    std::int64_t weight_stride = 0;
    const float* bias = nullptr;  ///< padded to whole vectors
    float* output = nullptr;
    std::int64_t out_width = 0;
    std::int64_t out_stride = 0;
    std::int64_t channels = 0;
    /// For each vector of channels, for row_code_any alone; nullptr where each channel has its own output.
    const Spread* spread = nullptr;
    std::int64_t in_channels = 0;  ///< where `spread` is set, of these channels
    SumEpilogue epilogue;
};

using RowCode = void (*)(const Row& row);

/// Kernels of 1, 2, 3, 5 and 7 columns and small strides have code of their own; nullptr for others.
RowCode row_code_avx512(std::int64_t kernel_width, std::int64_t stride);
RowCode row_code_avx2(std::int64_t kernel_width, std::int64_t stride);
/// For windows of any size, stride and dilation, and for several outputs of a channel.
RowCode row_code_any_avx512();
RowCode row_code_any_avx2();
/// Not for Isa::scalar.
RowCode row_code(std::int64_t kernel_width, std::int64_t stride, Isa isa);
RowCode row_code_any(Isa isa);

}  // namespace seq::cpu::depthwise
