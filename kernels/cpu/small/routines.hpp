#pragma once

#include <cstdint>

#include "kernels/cpu/pool/pool_plan.hpp"

// The inner loops of small nets, written for each instruction set.
namespace seq::cpu::small {

/// Taps of a position that lie one behind the other, from `offset` floats after its first.
struct Run {
    std::int32_t offset = 0;
    std::int32_t count = 0;
};

/// For positions along lines: output = min(max(bias + sum over taps of input · weights, low), high), NaN kept, of each
/// or of the largest of 2×2. A position gets one or two vectors of numbers, its columns. All strides count floats.
struct Product {
    const float* input = nullptr;
    std::int64_t position_stride = 0;
    std::int64_t line_stride = 0;
    const Run* runs = nullptr;
    const Run* runs_end = nullptr;
    const float* weights = nullptr;  ///< [taps][columns · lanes]
    const float* bias = nullptr;     ///< [columns · lanes]
    float* output = nullptr;
    std::int64_t out_position_stride = 0;
    std::int64_t out_line_stride = 0;
    std::int64_t out_column_stride = 0;
    /// Groups of outputs that are computed at once, and how many there are in a line of outputs.
    std::int64_t tiles = 0;
    std::int64_t lines = 0;
    float low = 0;
    float high = 0;
};
using ProductFunction = void (*)(const Product&);

/// For rows of numbers: output[o] = min(max(bias[o] + input · weights[o], low), high), NaN kept, for outputs
/// [first, last). Strides count floats.
struct DotProduct {
    const float* input = nullptr;
    std::int64_t position_stride = 0;
    std::int64_t positions = 0;
    std::int64_t taps = 0;  ///< which lie one behind the other
    /// [outputs][row]: the bias in a vector of zeros, then the taps' weights and zeros to a whole vector.
    const float* weights = nullptr;
    std::int64_t row = 0;
    float* output = nullptr;
    std::int64_t out_position_stride = 0;
    std::int64_t first = 0;
    std::int64_t last = 0;
    float low = 0;
    float high = 0;
};
using DotFunction = void (*)(const DotProduct&);

/// Pools lines of one block of channels: output line `y` from the input's lines, of which `input` holds `input_line`
/// and those after it.
struct PoolWork {
    const PoolPlan* plan = nullptr;
    const float* input = nullptr;
    std::int64_t input_line = 0;
    std::int64_t line_stride = 0;
    float* output = nullptr;  ///< of output line 0
    std::int64_t out_line_stride = 0;
    std::int64_t first = 0;
    std::int64_t last = 0;
};
using PoolFunction = void (*)(const PoolWork&);

constexpr int most_columns = 2;
constexpr int most_positions = 16;

/// Products by how many outputs of a line they compute at once.
struct ProductTable {
    /// Positions from an output to the next, and lines from a line of outputs to the next. 2: an output is the largest
    /// of 2×2 positions.
    int step = 1;
    /// The most outputs whose positions stay in registers, for one and for two columns.
    int most[most_columns] = {};
    /// [whether positions are 1 float apart][columns - 1][outputs - 1]
    ProductFunction functions[2][most_columns][most_positions] = {};
};

/// What one instruction set offers.
struct Routines {
    int lanes = 0;
    ProductTable product, pooled_product;
    DotFunction dot = nullptr;
    /// For windows of any size, and for those of 1×2, 2×2 and 3×3 elements; largest or mean.
    PoolFunction largest[4] = {};
    PoolFunction mean[4] = {};
};

const Routines& routines(Isa isa);
/// Each may be called only where the machine has those instructions.
const Routines& routines_avx512();
const Routines& routines_avx2();
const Routines& routines_baseline();

}  // namespace seq::cpu::small
