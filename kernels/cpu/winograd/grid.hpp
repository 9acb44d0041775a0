#pragma once

#include <cstdint>

// Plain numbers alone, since the files for one instruction set share no functions with others.
namespace seq::cpu::winograd {

/// How one side's pictures lie, in blocks of as many channels as a vector has lanes. Strides are in floats.
struct Pictures {
    std::int64_t channels = 0, height = 0, width = 0;
    std::int64_t pixel = 0;    ///< from a pixel to the next in its row
    std::int64_t row = 0;      ///< from a row to the next
    std::int64_t block = 0;    ///< from a block of channels to the next
    std::int64_t picture = 0;  ///< from a picture to the next
    std::int64_t blocks = 0;
    int last_lanes = 0;  ///< how many channels of the last block memory holds
    /// Where tiles go along lines, which are the rows: pixels of those that are interleaved, otherwise the width.
    std::int64_t length = 0;
};

/// The tiles of a layer, counted over pictures, rows and columns together, and where their transforms lie.
struct Grid {
    Pictures in, out;
    std::int64_t pad_top = 0, pad_left = 0;
    std::int64_t tile_rows = 0, tile_columns = 0;  ///< of a picture
    std::int64_t plane = 0;           ///< in floats: one number of each channel of a block's transformed tiles
    std::int64_t product_stride = 0;  ///< in floats, from a position's products to the next
    /// Of lines: so many are interleaved. Their rows' pixels are then that far apart.
    std::int64_t dilation = 1;
    /// Whether tiles of different lines follow each other, since they are the nearest in memory.
    bool across = false;
    /// Of 3×3: pixels so far apart are pictures of their own, which are counted row by row within a picture.
    std::int64_t row_dilation = 1, column_dilation = 1;
};

/// Tiles that are multiplied together.
struct Group {
    std::int64_t first = 0, count = 0;  ///< of the layer's tiles
    std::int64_t before = 0;            ///< so many of its block lie before them
};

}  // namespace seq::cpu::winograd
