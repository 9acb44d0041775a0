#pragma once

#include <algorithm>
#include <limits>

#include "kernels/cpu/winograd/multiply.hpp"
#include "kernels/cpu/winograd/problem.hpp"
#include "kernels/cpu/winograd/transform.hpp"

// The three steps of a task: input tiles are transformed, multiplied with the transformed weights at each position,
// and transformed back.
namespace seq::cpu::winograd {

using simd::Float;

/// What follows the convolution in registers: + bias, + residual, then into [low, high].
struct Epilogue {
    const float* bias = nullptr;  ///< padded to whole blocks
    const float* residual = nullptr;
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
};

struct TilePlace {
    std::int64_t picture, row, column;
};

SEQ_INLINE TilePlace place_of(const Problem& p, std::int64_t tile) {
    const std::int64_t columns = p.tile_columns(), rows = p.tile_rows();
    return {tile / (rows * columns), tile / columns % rows, tile % columns};
}

template <int N, int Tile>
SEQ_INLINE void load_tile(const Problem& p, const float* channels, const TilePlace& place,
                          Float<N> (&d)[reach(Tile)][reach(Tile)]) {
    const std::int64_t top = place.row * Tile - p.pad_top, left = place.column * Tile - p.pad_left;
    const bool inside = top >= 0 && left >= 0 && top + reach(Tile) <= p.in_height && left + reach(Tile) <= p.in_width;
    for (int i = 0; i < reach(Tile); ++i) {
        const std::int64_t y = top + i;
        const float* row = channels + (y * p.in_width + left) * N;
        for (int j = 0; j < reach(Tile); ++j) {
            const bool holds = inside || (y >= 0 && y < p.in_height && left + j >= 0 && left + j < p.in_width);
            d[i][j] = holds ? simd::load<N>(row + j * N) : Float<N>{};
        }
    }
}

/// The tiles from `first` on, transformed into `transformed`; what fills up the last group is 0.
template <int N, int Tile>
SEQ_INLINE void transform_tiles(const Problem& p, const float* input, std::int64_t first, std::int64_t count,
                                float* transformed) {
    constexpr int size = reach(Tile);
    const std::int64_t plane = p.in_height * p.in_width * N;
    const std::int64_t padded = (count + p.group_tiles - 1) / p.group_tiles * p.group_tiles;
    for (std::int64_t t = 0; t < padded; ++t) {
        const TilePlace place = place_of(p, first + t);
        const std::int64_t group = t / p.group_tiles, lane = t % p.group_tiles;
        for (std::int64_t c = 0; c < p.in_blocks(); ++c) {
            float* target = transformed + ((group * p.in_blocks() + c) * p.group_tiles + lane) * N;
            Float<N> d[size][size] = {};
            if (t < count) load_tile<N, Tile>(p, input + (place.picture * p.in_blocks() + c) * plane, place, d);
            for (int j = 0; j < size; ++j) {
                Float<N> column[size];
                for (int i = 0; i < size; ++i) column[i] = d[i][j];
                transform_input<Tile>(column);
                for (int i = 0; i < size; ++i) d[i][j] = column[i];
            }
            for (int i = 0; i < size; ++i) {
                transform_input<Tile>(d[i]);
                for (int j = 0; j < size; ++j) simd::store<N>(target + (i * size + j) * p.input_stride(), d[i][j]);
            }
        }
    }
}

/// All positions of `count` tiles with the weights of one or two columns.
SEQ_INLINE void multiply_tiles(const Problem& p, const float* transformed, const float* weights, std::int64_t count,
                               int columns, MultiplyFunction multiply, float* products) {
    const std::int64_t groups = (count + p.group_tiles - 1) / p.group_tiles;
    const std::int64_t channels = p.in_blocks() * p.lanes;
    for (std::int64_t position = 0; position < p.positions(); ++position) {
        const float* v = transformed + position * p.input_stride();
        const float* u = weights + position * channels * columns * p.lanes;
        for (std::int64_t group = 0; group < groups; ++group) {
            multiply(v + group * channels * p.group_tiles, u, channels,
                     products + position * p.product_stride() + group * p.group_tiles * 2 * p.lanes);
        }
    }
}

template <int N>
SEQ_INLINE Float<N> finish(Float<N> value, const Epilogue& epilogue, Float<N> bias, std::int64_t at) {
    value += bias;
    if (epilogue.residual != nullptr) value += simd::load<N>(epilogue.residual + at);
    return simd::at_most<N>(simd::at_least<N>(value, epilogue.low), epilogue.high);
}

/// The tiles from `first` on, of block `block` of output channels.
template <int N, int Tile>
SEQ_INLINE void transform_back(const Problem& p, const float* products, std::int64_t first, std::int64_t count,
                               std::int64_t block, const Epilogue& epilogue, float* output) {
    constexpr int size = reach(Tile);
    const std::int64_t plane = p.out_height * p.out_width * N;
    const Float<N> bias = epilogue.bias == nullptr ? Float<N>{} : simd::load<N>(epilogue.bias + block * N);
    for (std::int64_t t = 0; t < count; ++t) {
        Float<N> m[size][size];
        for (int i = 0; i < size; ++i) {
            for (int j = 0; j < size; ++j)
                m[i][j] = simd::load<N>(products + (i * size + j) * p.product_stride() + t * 2 * N);
            transform_output<Tile>(m[i]);
        }
        const TilePlace place = place_of(p, first + t);
        const std::int64_t top = place.row * Tile, left = place.column * Tile;
        const std::int64_t rows = std::min<std::int64_t>(Tile, p.out_height - top);
        const std::int64_t columns = std::min<std::int64_t>(Tile, p.out_width - left);
        const std::int64_t start = (place.picture * p.out_blocks() + block) * plane + (top * p.out_width + left) * N;
        for (int j = 0; j < Tile; ++j) {
            Float<N> column[size];
            for (int i = 0; i < size; ++i) column[i] = m[i][j];
            transform_output<Tile>(column);
            if (j >= columns) continue;
            for (int i = 0; i < Tile; ++i) {
                const std::int64_t at = start + (i * p.out_width + j) * N;
                if (i < rows) simd::store<N>(output + at, finish<N>(column[i], epilogue, bias, at));
            }
        }
    }
}

}  // namespace seq::cpu::winograd
