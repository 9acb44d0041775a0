#pragma once

#include <cstdint>

#include "kernels/cpu/fused_function.hpp"

// The inner product of convolutions of few channels a group, whose windows are 3 columns wide: a pixel, once it is in a
// register, is multiplied for all windows that it lies in.
namespace seq::cpu::grouped {

inline constexpr int taps_across = 3;

/// How many windows a tile has at most.
constexpr int tile_windows(int lanes) { return lanes == 16 ? 14 : 10; }

/// Some windows of a line times a vector of output channels: of one group, whose input channels are multiplied one by
/// one, or, `side_by_side`, of several that have 4 channels each.
struct Tile {
    const float* first = nullptr;  ///< the first window's first pixel, at the first channel
    std::int64_t pixel_stride = 0;
    const std::int64_t* line_offsets = nullptr;  ///< in floats, of the lines of a window
    std::int64_t lines = 1;
    std::int64_t channels = 0;     ///< of a group
    const float* panel = nullptr;  ///< [line][channel][taps_across][lanes]
    const float* bias = nullptr;   ///< padded to a vector
    /// nullptr, or with the stride of `output`.
    const float* residual = nullptr;
    float* output = nullptr;
    std::int64_t output_stride = 0;  ///< between windows
    std::int64_t columns = 0;        ///< output channels, at most a vector
    SumEpilogue epilogue;
};

using TileFunction = void (*)(const Tile& tile);

/// The code for one instruction set.
struct Code {
    int lanes = 16;
    /// By whether groups lie side by side, by the stride across - 1, then by the number of windows - 1.
    const TileFunction (*multiply)[2][14] = nullptr;
};

const Code& code_avx512();
const Code& code_avx2();

}  // namespace seq::cpu::grouped
