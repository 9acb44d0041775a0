#pragma once

#include <cstdint>

#include "kernels/cpu/fused_function.hpp"

// The inner product of 1×1 convolutions: rows of input channels times a panel of output channels.
//
// A panel has the weights of two vectors of output channels, [channel][2 · lanes], the last one of a layer of one
// vector where that is enough.
namespace seq::cpu::pointwise {

/// How many rows a tile of so many columns has at most: in narrow ones every sum is a vector, of which it takes more to
/// hide how long an addition takes.
constexpr int tile_rows(int lanes, std::int64_t columns) { return lanes == 16 ? 14 : columns > lanes ? 6 : 12; }

/// What happens to inputs while they are copied: · scale + shift, then ReLU. Each is left out where it is nullptr, and
/// those that follow with it.
struct Prologue {
    const float* scale = nullptr;
    const float* shift = nullptr;
    bool relu = false;
};

inline constexpr std::int64_t one_tap[1] = {0};

/// Some rows times one panel; of a larger convolution, the rows of several taps, each times its part of the panel.
struct Tile {
    const float* rows = nullptr;
    std::int64_t row_stride = 0;
    /// In floats, from `rows` on to those of each tap.
    const std::int64_t* tap_offsets = one_tap;
    std::int64_t taps = 1;  ///< 0: only what is added to products is stored
    const float* panel = nullptr;
    const float* bias = nullptr;  ///< of this panel, padded to whole vectors
    /// Of these rows and this panel; nullptr, or with the stride of `output`.
    const float* residual = nullptr;
    float* output = nullptr;
    std::int64_t output_stride = 0;
    /// In floats, what lies between two vectors of a row of `output` and `residual`: nothing, unless channels lie in
    /// blocks.
    std::int64_t output_gap = 0;
    std::int64_t channels = 0;
    std::int64_t columns = 0;  ///< output channels, at most 2 · lanes
    /// Sums to be added to, instead of the bias; nullptr where there are none yet.
    const float* sums = nullptr;
    std::int64_t sums_stride = 0;
    /// Whether more channels follow: the sums are stored as they are.
    bool unfinished = false;
    /// Whether panels are taken last to first.
    bool backwards = false;
    /// Weights that are needed next: for each channel the line there is fetched, and it moves on by `ahead_step`
    /// floats.
    const float* ahead = nullptr;
    std::int64_t ahead_step = 0;
    /// Whether rows lie one after the other, and are not in the core's own cache yet.
    bool rows_are_far = false;
    /// Rows that are needed next, fetched in the same way.
    const float* rows_ahead = nullptr;
    std::int64_t rows_step = 0;
    SumEpilogue epilogue;
};

using TileFunction = void (*)(const Tile& tile);

/// Rows to be copied. Strides are in floats.
struct RowCopy {
    const float* rows = nullptr;
    std::int64_t stride = 0;
    /// Between the vectors of a row: `lanes`, unless channels lie in blocks.
    std::int64_t vector_stride = 0;
    std::int64_t count = 0;
    std::int64_t channels = 0;
    Prologue prologue;
    float* target = nullptr;  ///< where the channels of a row lie one after the other
    std::int64_t target_stride = 0;
};

using CopyFunction = void (*)(const RowCopy& copy);

/// output[i] = the sum of parts[p · count + i] over p, + residual[i] where there is one, as the epilogue has it; for i
/// in [first, last).
using SumFunction = void (*)(const float* parts, std::int64_t part_count, std::int64_t count, std::int64_t first,
                             std::int64_t last, const float* residual, const SumEpilogue& epilogue, float* output);

/// The code for one instruction set.
struct Code {
    int lanes = 16;
    /// By the number of vectors of output channels - 1, then by the number of rows - 1.
    const TileFunction (*multiply)[14] = nullptr;
    CopyFunction copy = nullptr;
    SumFunction sum = nullptr;

    /// `count`: 1 to tile_rows.
    void run(const Tile& tile, std::int64_t count) const { multiply[tile.columns > lanes ? 1 : 0][count - 1](tile); }
};

/// Multiplies `count` rows by the panel of `tile`, in tiles that are alike; together they fetch `next`, of
/// `next_floats`, or, where there is one tile, what comes a little later in the panel and after it. Rows that are far
/// are fetched a tile ahead.
void multiply_panel(const Code& code, Tile tile, std::int64_t count, const float* next, std::int64_t next_floats);

/// The weights of a layer.
struct Panels {
    const float* weights = nullptr;
    const float* bias = nullptr;  ///< padded to whole vectors
    std::int64_t in_channels = 0;
    std::int64_t out_channels = 0;
};

/// Multiplies `count` rows by panels [first, last), with weights for tile.channels channels from `channel` on. `tile`
/// has the rows, and where the result of the first row and panel goes.
void multiply_panels(const Code& code, const Panels& panels, Tile tile, std::int64_t count, std::int64_t first,
                     std::int64_t last, std::int64_t channel = 0);

const Code& code_avx512();
const Code& code_avx2();
/// Not for Isa::scalar.
const Code& code_for(Isa isa);

}  // namespace seq::cpu::pointwise
