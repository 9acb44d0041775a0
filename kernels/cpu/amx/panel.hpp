#pragma once

#include <array>
#include <cstdint>

// Built for AMX with bf16: call only where the machine has it (amx.hpp).
namespace seq::cpu::amx {

/// Columns of a panel, numbers multiplied in a step, and the most rows of a tile.
inline constexpr std::int64_t panel_columns = 32, step_depth = 32, most_rows = 16;
/// A step's weights: two tiles of 16 columns, each of 16 pairs of channels.
inline constexpr std::int64_t step_weights = panel_columns * step_depth;

/// Consecutive rows of the left factor, and which rows of the result they are; -1: none.
struct RowTile {
    std::int64_t source = 0;
    std::array<std::int32_t, most_rows> target{};
};

/// A panel of columns of a product that is summed over taps (positions of a convolution's window) and channels.
struct Panel {
    const std::uint16_t* left = nullptr;  ///< rows of `channels` numbers
    std::int64_t channels = 0;
    const std::int64_t* taps = nullptr;  ///< rows from a tile's own to those that each tap reads
    std::int64_t tap_count = 0;
    const std::uint16_t* weights = nullptr;   ///< of this panel, tap after tap
    const std::uint16_t* next = nullptr;      ///< of the panel to fetch meanwhile; nullptr: none
    const float* bias = nullptr;              ///< of the panel's columns
    const std::uint16_t* residual = nullptr;  ///< added, as `result` lies; nullptr: none
    float low = 0, high = 0;                  ///< what results are put between
    std::uint16_t* result = nullptr;          ///< the panel's first column
    std::int64_t result_columns = 0;
    int tile_rows = 0;
};

/// Sets the calling thread's tiles up for row tiles of so many rows; `release` has to follow.
void configure(int tile_rows);
void release();

/// `count` is even.
void multiply(const Panel& panel, const RowTile* tiles, std::int64_t count);

}  // namespace seq::cpu::amx
