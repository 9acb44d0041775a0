#pragma once

#include <cstdint>

#include "kernels/cpu/fused_function.hpp"
#include "kernels/kernel.hpp"

// The inner product of convolutions that read planes: windows times a panel of output channels.
namespace seq::cpu::few_channels {

/// How many windows a tile has at most.
constexpr int tile_windows(int lanes) { return lanes == 16 ? 14 : 6; }

/// Some windows of a row times one panel of weights: [tap][2 · lanes], or [tap][lanes] where `columns` fit into them.
struct Tile {
    const float* first = nullptr;        ///< where the first window begins
    std::int64_t stride = 1;             ///< between windows, in floats
    const std::int64_t* taps = nullptr;  ///< where in a window its numbers are
    std::int64_t tap_count = 0;
    const float* panel = nullptr;
    const float* bias = nullptr;  ///< of this panel, padded to whole vectors
    float* output = nullptr;
    std::int64_t output_stride = 0;  ///< between windows
    std::int64_t columns = 0;        ///< output channels, at most 2 · lanes
    SumEpilogue epilogue;
};

using TileFunction = void (*)(const Tile& tile);

/// The code for one instruction set.
struct Code {
    int lanes = 16;
    /// By the number of vectors of output channels - 1, then by the number of windows - 1.
    const TileFunction (*multiply)[14] = nullptr;

    void run(const Tile& tile, std::int64_t windows) const {
        multiply[tile.columns > lanes ? 1 : 0][windows - 1](tile);
    }
};

const Code& code_avx512();
const Code& code_avx2();

}  // namespace seq::cpu::few_channels
