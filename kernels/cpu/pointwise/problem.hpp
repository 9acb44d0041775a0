#pragma once

#include <cstdint>

#include "kernels/cpu/pointwise/tile.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu::pointwise {

/// A 1×1 convolution as a product of matrices, and how it is cut into tasks: blocks of rows, each with all columns or
/// with a part of them.
struct Problem {
    std::int64_t rows = 0, in_channels = 0, out_channels = 0;
    int lanes = 16;

    /// A multiple of the rows of a tile, except for the last block.
    std::int64_t block_rows = 0;
    std::int64_t task_panels = 0;

    std::int64_t panels() const { return (out_channels + 2 * lanes - 1) / (2 * lanes); }
    std::int64_t row_blocks() const { return (rows + block_rows - 1) / block_rows; }
    std::int64_t column_parts() const { return (panels() + task_panels - 1) / task_panels; }
    std::int64_t tasks() const { return row_blocks() * column_parts(); }
    std::int64_t padded_out() const { return (out_channels + lanes - 1) / lanes * lanes; }
    std::int64_t weight_floats() const { return in_channels * padded_out(); }
    /// In floats, between rows of a block that is copied: apart from powers of two, at which rows meet in one set of a
    /// cache.
    std::int64_t copy_stride() const { return (in_channels + lanes - 1) / lanes * lanes + lanes; }
    double macs() const;
};

/// Sets the pieces for so many threads.
void cut_into_tasks(Problem& problem, int threads);

struct PanelShape {
    std::int64_t in_channels = 0, out_channels = 0;  ///< of a group
    int lanes = 16;
    std::int64_t taps = 1;
    /// Whether weights that hold NaN, Inf or numbers near overflow are refused.
    bool tame = false;
    std::int64_t groups = 1;
};

/// The parameter "weight", dense [groups · out_channels, in_channels, taps...], as panels of
/// [tap][channel][2 · lanes], those of a group after the other's; empty where it is not known or is refused.
PackedWeights pack_panels(const Node& node, WeightProvider& provider, const PanelShape& shape);

}  // namespace seq::cpu::pointwise
