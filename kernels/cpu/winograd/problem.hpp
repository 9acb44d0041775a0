#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/winograd/grid.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu::winograd {

/// In blocks of `lanes` channels, or channels last.
Pictures lay_out(std::int64_t channels, std::int64_t height, std::int64_t width, int lanes, const Layout& layout);

/// The same as lines along the width, or `down` the height. Where `dilation` is above 1 there may be one line, of which
/// every so many pixels make a line of their own.
Pictures as_lines(Pictures pictures, bool down, std::int64_t dilation);

/// `count` things cut into `parts` parts, the first of which are larger by one.
struct Cut {
    Cut(std::int64_t count, std::int64_t parts)
        : count(count), parts(parts), smaller(count / parts), larger(count % parts) {}
    std::int64_t start(std::int64_t part) const { return part * smaller + std::min(part, larger); }
    std::int64_t size(std::int64_t part) const { return smaller + (part < larger ? 1 : 0); }

    std::int64_t count, parts;
    std::int64_t smaller;  ///< the size of a smaller part
    std::int64_t larger;   ///< how many parts are larger
};

/// One 3×3 convolution of stride 1 or 2, or one of 3 along lines, and how it is cut into pieces.
///
/// Where rows or columns are dilated, the pixels that lie so far apart are pictures of their own. Tiles are counted
/// over pictures, rows and columns together, and taken in `blocks`, of groups that the inner product holds in
/// registers. Output channels are taken in columns, pairs of blocks of channels. A task is a block of tiles and a part
/// of the columns; a thread transforms the tiles of a block once for all of its tasks on it. A part is taken in chunks
/// of columns: at each position all columns of the chunk are multiplied before the next position.
struct Problem {
    std::int64_t batch = 0, pad_top = 0, pad_left = 0;
    Pictures in, out;
    int tile = 4;    ///< 4 or 2: outputs on a side of a tile
    int stride = 1;  ///< 1 or 2; 1 along lines
    /// Whether tiles go along lines: F(tile, 3) instead of F(tile×tile, 3×3). Lines are padded by `pad_left`.
    bool lines = false;
    std::int64_t dilation = 1;                           ///< along lines
    std::int64_t row_dilation = 1, column_dilation = 1;  ///< of 3×3 of stride 1
    /// Whether the largest of each 2×2 outputs alone is written: `out` has the sizes before that, and the strides of
    /// what is written.
    bool pooled = false;
    int lanes = 16;  ///< 16 for AVX-512, 8 for AVX2

    std::int64_t blocks = 1;         ///< of tiles
    std::int64_t parts = 1;          ///< of the columns
    std::int64_t chunk_columns = 1;  ///< the most in a chunk

    /// Of a line of a tile: what is read and multiplied, and the products left once those of the phases are summed.
    std::int64_t reach() const { return stride * (tile - 1) + 3; }
    std::int64_t line_positions() const { return divide_up(reach(), stride); }
    std::int64_t positions() const { return line_positions() * (lines ? 1 : line_positions()); }
    /// What a tile multiplies for each channel: the phases of a position after each other, position by position.
    std::int64_t places() const { return reach() * (lines ? 1 : reach()); }
    std::int64_t line_phases(std::int64_t position) const {
        return std::min<std::int64_t>(stride, reach() - position * stride);
    }
    std::int64_t phases(std::int64_t position) const {
        return line_phases(position / line_positions()) * line_phases(position % line_positions());
    }
    std::int64_t first_place(std::int64_t position) const {
        const std::int64_t row = position / line_positions(), column = position % line_positions();
        return (row * reach() + line_phases(row) * column) * stride;
    }
    /// The weights for each channel, which several places share: see Filtering.
    std::int64_t line_panels() const { return tile + 2; }
    std::int64_t panels() const { return line_panels() * (lines ? 1 : line_panels()); }
    std::int64_t panel(std::int64_t position, std::int64_t phase) const {
        const std::int64_t row = position / line_positions(), column = position % line_positions();
        const std::int64_t column_phases = line_phases(column), odd = line_panels() - 1;
        return (phase / column_phases == 0 ? row : odd) * line_panels() + (phase % column_phases == 0 ? column : odd);
    }
    std::int64_t tile_outputs() const { return std::int64_t{tile} * (lines ? 1 : tile); }
    std::int64_t taps() const { return lines ? 3 : 9; }
    std::int64_t tile_rows() const { return lines ? out.height : divide_up(divide_up(out.height, row_dilation), tile); }
    std::int64_t tile_columns() const { return divide_up(divide_up(out.width, column_dilation), tile); }
    std::int64_t tiles() const { return batch * row_dilation * column_dilation * tile_rows() * tile_columns(); }
    int largest_group() const { return lanes == 16 ? 14 : 6; }

    Cut block_cut() const { return {tiles(), blocks}; }
    std::int64_t block_tiles() const { return block_cut().size(0); }
    Cut groups_of(std::int64_t count) const { return {count, divide_up(count, largest_group())}; }
    std::int64_t tasks() const { return blocks * parts; }

    /// Pairs of blocks of output channels; the last may be a single block.
    std::int64_t columns() const { return (out.blocks + 1) / 2; }
    int column_blocks(std::int64_t column) const { return column * 2 + 1 < out.blocks ? 2 : 1; }
    Cut part_cut() const { return {columns(), parts}; }

    /// In floats, of a block's transformed tiles: [position][group][phase][channel block][tile of the group][lane].
    /// Each position is one vector further, so that the positions of a tile do not meet in one set of a cache.
    std::int64_t plane() const { return block_tiles() * in.blocks * lanes; }
    std::int64_t input_start(std::int64_t position) const { return first_place(position) * plane() + position * lanes; }
    std::int64_t input_floats() const { return places() * plane() + positions() * lanes; }
    /// In floats, of a task's products: [column of the chunk][position][tile][two blocks of lanes].
    std::int64_t product_stride() const { return block_tiles() * 2 * lanes + lanes; }
    std::int64_t product_floats() const { return chunk_columns * positions() * product_stride(); }

    /// In floats: [column][panel][channel][one or two blocks of lanes].
    std::int64_t weight_floats() const { return panels() * in.channels * out.blocks * lanes; }
    /// Where in them a column's channels of a panel begin.
    std::int64_t weight_start(std::int64_t column, std::int64_t panel) const {
        return in.channels * lanes * (column * 2 * panels() + panel * column_blocks(column));
    }
};

/// Chooses the pieces for so many threads, by winograd_cost.
void cut_into_tasks(Problem& problem, int threads);

/// How long the layer is estimated to take in Winograd's form, cut as it is, and directly; in one unit. Weights come
/// from memory or a shared cache, since nets hold more of them than a core's cache does.
double winograd_cost(const Problem& problem, int threads);
double direct_cost(const Problem& problem, int threads);

}  // namespace seq::cpu::winograd
