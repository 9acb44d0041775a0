#pragma once

#include <cstdint>
#include <limits>

#include "kernels/cpu/winograd/grid.hpp"

// The inner loops of Winograd's form, written with intrinsics for each instruction set.
namespace seq::cpu::winograd {

/// What follows the convolution in registers: + bias, + residual, then into [low, high].
struct Epilogue {
    const float* bias = nullptr;      ///< padded to whole blocks
    const float* residual = nullptr;  ///< lies as the output
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
};

/// What will be read next, to be fetched on the way.
struct Ahead {
    const float* from = nullptr;
    std::int64_t lines = 0;  ///< of the cache, for each block of channels of a phase
};

/// The weights of a phase, and those to fetch while they are multiplied.
struct Panel {
    const float* weights = nullptr;
    Ahead next;
};

/// products[tile][column] = sum over phases and channels of v[tile][phase][channel] · u[phase][channel][column], for a
/// group of tiles and one or two vectors of columns that stay in registers. v is [phase][channel block][tile][lane],
/// the u of a phase its panel's weights, [channel][columns · lanes], products [tile][2 · lanes]. Fetches the weights
/// and tiles that will be read next on the way.
using Multiply = void (*)(const float* v, const Panel* panels, std::int64_t phases, std::int64_t channels,
                          float* products, Ahead tiles);

/// Transforms a group of tiles of a block, whose transforms begin at `target` and lie as Problem::plane says.
using TransformInput = void (*)(const Grid& grid, const float* input, const Group& group, float* target);

/// Transforms the products of `count` tiles from `first` on and a column, [position][tile][two blocks of lanes] with a
/// position every grid.product_stride floats, back and writes them to the output.
using TransformBack = void (*)(const Grid& grid, const float* products, std::int64_t first, std::int64_t count,
                               std::int64_t column, const Epilogue& epilogue, float* output);

struct Transforms {
    TransformInput input = nullptr;
    TransformBack back = nullptr;
    /// The same, but writes the largest of each 2×2 numbers alone; takes no residual. Not for lines.
    TransformBack back_pooled = nullptr;
};

/// For groups of 1 to 14 tiles and 1 or 2 columns; needs AVX-512.
Multiply multiply_avx512(std::int64_t group_tiles, int columns);
/// For groups of 1 to 6 tiles and 1 or 2 columns; needs AVX2 and FMA.
Multiply multiply_avx2(std::int64_t group_tiles, int columns);

/// `lines`: whether tiles go along lines, with stride 1.
Transforms transforms_avx512(int tile, int stride, bool lines);
Transforms transforms_avx2(int tile, int stride, bool lines);

}  // namespace seq::cpu::winograd
