#pragma once

#include <cstdint>

#include "kernels/kernel.hpp"

namespace seq::cpu::winograd {

/// One 3×3 convolution of stride 1 over activations in blocks of `lanes` channels, and how it is cut into pieces.
///
/// Tiles are counted over pictures, rows and columns together. A task takes `block_tiles` of them, in groups of
/// `group_tiles` that the inner product holds in registers, and `task_columns` of the column pairs of the output
/// channels.
struct Problem {
    std::int64_t batch = 0, in_channels = 0, out_channels = 0;
    std::int64_t in_height = 0, in_width = 0, out_height = 0, out_width = 0;
    std::int64_t pad_top = 0, pad_left = 0;
    int tile = 4;    ///< 4 or 2: outputs on a side of a tile
    int lanes = 16;  ///< 16 for AVX-512, 8 for AVX2

    int group_tiles = 0;
    std::int64_t block_tiles = 0;
    std::int64_t task_columns = 0;

    std::int64_t positions() const { return std::int64_t{tile + 2} * (tile + 2); }
    std::int64_t tile_rows() const { return (out_height + tile - 1) / tile; }
    std::int64_t tile_columns() const { return (out_width + tile - 1) / tile; }
    std::int64_t tiles() const { return batch * tile_rows() * tile_columns(); }
    std::int64_t in_blocks() const { return (in_channels + lanes - 1) / lanes; }
    std::int64_t out_blocks() const { return (out_channels + lanes - 1) / lanes; }
    /// Pairs of blocks of output channels; the last may be a single block.
    std::int64_t columns() const { return (out_blocks() + 1) / 2; }
    std::int64_t tile_blocks() const { return (tiles() + block_tiles - 1) / block_tiles; }
    std::int64_t tasks() const { return tile_blocks() * ((columns() + task_columns - 1) / task_columns); }

    /// In floats, of a task's transformed input: [position][group][channel block][tile of the group][lane], each
    /// position one vector further, so that the positions of a tile do not meet in one set of a cache.
    std::int64_t input_stride() const { return block_tiles * in_blocks() * lanes + lanes; }
    /// In floats, of a task's products: [position][tile][two blocks of lanes].
    std::int64_t product_stride() const { return block_tiles * 2 * lanes + lanes; }
    std::int64_t task_floats() const { return positions() * (input_stride() + product_stride()); }
    /// In floats: [column pair][position][channel][one or two blocks of lanes].
    std::int64_t weight_floats() const { return positions() * in_blocks() * lanes * out_blocks() * lanes; }
};

/// Sets the pieces for so many threads.
void cut_into_tasks(Problem& problem, int threads);

/// What the layer is estimated to cost in Winograd's form, and directly, where a multiply-add costs 1. Weights that
/// come from memory count, since nets hold more of them than caches do.
double winograd_cost(const Problem& problem, int threads);
double direct_cost(const Problem& problem);

}  // namespace seq::cpu::winograd
