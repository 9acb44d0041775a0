#pragma once

#include <utility>

#include "kernels/cpu/pointwise/tile.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu::pointwise {
namespace {

using V = Vector;

constexpr int group_rows = tile_rows(V::lanes);

template <int Rows, int Columns>
using Sums = V::Float[Rows][Columns];

/// One channel of every fifth row, from which the others are reached with two strides.
struct Channel {
    const float* fives[3];
    std::int64_t stride, stride3;

    [[gnu::always_inline]] const float* row(int r) const {
        const float* five = fives[r / 5];
        return r % 5 == 3 ? five + stride3 : five + (r % 5) * stride;
    }
    [[gnu::always_inline]] void advance() {
        for (const float*& five : fives) ++five;
    }
};

template <int Rows, int Columns>
[[gnu::always_inline]] inline void multiply_channel(Sums<Rows, Columns>& sums, const Channel& channel,
                                                    const float* panel) {
    V::Float weights[Columns];
    for (int j = 0; j < Columns; ++j) {
        weights[j] = V::load(panel + j * V::lanes);
        V::keep_in_register(weights[j]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        const V::Float value = V::splat(*channel.row(r));
        for (int j = 0; j < Columns; ++j) sums[r][j] = V::fma(value, weights[j], sums[r][j]);
    }
}

template <int Rows, int Columns>
[[gnu::always_inline]] inline void multiply_channels(Sums<Rows, Columns>& sums, const Tile& t) {
    const std::int64_t stride = t.row_stride;
    const float *panel = t.panel, *ahead = t.ahead;
    for (std::int64_t tap = 0; tap < t.taps; ++tap) {
        const float* const rows = t.rows + t.tap_offsets[tap];
        Channel channel{{rows, rows + 5 * stride, rows + 10 * stride}, stride, 3 * stride};
        for (const float* const end = panel + t.channels * Columns * V::lanes; panel != end;
             panel += Columns * V::lanes, ahead += t.ahead_step) {
            _mm_prefetch(reinterpret_cast<const char*>(ahead), _MM_HINT_T1);
            multiply_channel<Rows, Columns>(sums, channel, panel);
            channel.advance();
        }
    }
}

template <int Rows, int Columns>
[[gnu::always_inline]] inline void fetch_rows(const float* rows, std::int64_t stride) {
    for (int r = 0; r < Rows; ++r, rows += stride) {
        for (int j = 0; j < Columns; ++j) _mm_prefetch(reinterpret_cast<const char*>(rows + j * V::lanes), _MM_HINT_T0);
    }
}

inline void apply_function(const Tile& tile, std::int64_t rows) {
    const std::int64_t width = tile.output_gap == 0 ? tile.columns : V::lanes;
    for (std::int64_t column = 0; column < tile.columns; column += width) {
        const std::int64_t count = tile.columns - column < width ? tile.columns - column : width;
        tile.epilogue.function(tile.output + column / V::lanes * (V::lanes + tile.output_gap), tile.output_stride, rows,
                               count, tile.epilogue.parameters);
    }
}

template <int Rows, int Columns>
void multiply(const Tile& tile) {
    const Tile t = tile;
    Sums<Rows, Columns> sums;
    const V::Mask last = V::first(t.columns - (Columns - 1) * V::lanes);
    const std::int64_t vector_stride = V::lanes + t.output_gap;
    const auto load = [&](const float* row, int j) {
        const float* vector = row + j * vector_stride;
        return j + 1 < Columns ? V::load(vector) : V::load(vector, last);
    };
    if (t.sums == nullptr) {
        for (int j = 0; j < Columns; ++j) {
#pragma GCC unroll 16
            for (int r = 0; r < Rows; ++r) sums[r][j] = V::load(t.bias + j * V::lanes);
        }
    } else {
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            for (int j = 0; j < Columns; ++j) sums[r][j] = load(t.sums + r * t.sums_stride, j);
        }
    }
    const bool finishes = !t.unfinished;
    if (finishes && t.residual != nullptr) fetch_rows<Rows, Columns>(t.residual, t.output_stride);
    multiply_channels<Rows, Columns>(sums, t);
    if (finishes && t.residual != nullptr) {
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            for (int j = 0; j < Columns; ++j)
                sums[r][j] = V::add(sums[r][j], load(t.residual + r * t.output_stride, j));
        }
    }
    if (finishes && (t.epilogue.low > -__builtin_inff() || t.epilogue.high < __builtin_inff())) {
        const V::Float low = V::splat(t.epilogue.low), high = V::splat(t.epilogue.high);
        for (int j = 0; j < Columns; ++j) {
#pragma GCC unroll 16
            for (int r = 0; r < Rows; ++r) sums[r][j] = V::at_most(V::at_least(sums[r][j], low), high);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        float* row = t.output + r * t.output_stride;
        for (int j = 0; j < Columns; ++j, row += vector_stride)
            j + 1 < Columns ? V::store(row, sums[r][j]) : V::store(row, sums[r][j], last);
    }
    if (finishes && t.epilogue.function != nullptr) apply_function(tile, Rows);
}

inline V::Float prepare(V::Float value, const Prologue& prologue, std::int64_t channel, V::Mask mask) {
    if (prologue.scale != nullptr) value = V::mul(value, V::load(prologue.scale + channel, mask));
    if (prologue.shift != nullptr) value = V::add(value, V::load(prologue.shift + channel, mask));
    return prologue.relu ? V::at_least(value, V::zero()) : value;
}

/// Row by row, for channels that lie one after the other.
inline void copy_rows(const RowCopy& copy) {
    const Prologue& prologue = copy.prologue;
    const bool changes = prologue.scale != nullptr || prologue.shift != nullptr || prologue.relu;
    const float* rows = copy.rows;
    float* target = copy.target;
    for (std::int64_t r = 0; r < copy.count; ++r, rows += copy.stride, target += copy.target_stride) {
        for (std::int64_t c = 0; c < copy.channels; c += V::lanes) {
            if (!changes && c + V::lanes <= copy.channels) {
                V::store(target + c, V::load(rows + c));
                continue;
            }
            const V::Mask mask = V::first(copy.channels - c < V::lanes ? copy.channels - c : V::lanes);
            V::store(target + c, prepare(V::load(rows + c, mask), prologue, c, mask), mask);
        }
    }
}

template <bool Scale, bool Shift, bool Relu>
inline void copy_vectors(const RowCopy& copy, std::int64_t channel, V::Mask mask) {
    const V::Float scale = Scale ? V::load(copy.prologue.scale + channel, mask) : V::zero();
    const V::Float shift = Shift ? V::load(copy.prologue.shift + channel, mask) : V::zero();
    const float* rows = copy.rows + channel / V::lanes * copy.vector_stride;
    float* target = copy.target + channel;
    for (std::int64_t r = 0; r < copy.count; ++r, rows += copy.stride, target += copy.target_stride) {
        V::Float value = V::load(rows);
        if (Scale) value = V::mul(value, scale);
        if (Shift) value = V::add(value, shift);
        V::store(target, Relu ? V::at_least(value, V::zero()) : value, mask);
    }
}

/// Block by block; blocks are whole.
inline void copy_blocks(const RowCopy& copy) {
    const Prologue& prologue = copy.prologue;
    using CopyVectors = void (*)(const RowCopy&, std::int64_t, V::Mask);
    const bool scale = prologue.scale != nullptr, shift = prologue.shift != nullptr;
    const CopyVectors forms[2][2] = {{copy_vectors<false, false, false>, copy_vectors<true, false, false>},
                                     {copy_vectors<true, true, false>, copy_vectors<true, true, true>}};
    const CopyVectors vectors = scale && shift ? forms[1][prologue.relu] : forms[0][scale];
    for (std::int64_t channel = 0; channel < copy.channels; channel += V::lanes)
        vectors(copy, channel, V::first(copy.channels - channel < V::lanes ? copy.channels - channel : V::lanes));
}

inline void copy(const RowCopy& copy) { copy.vector_stride == V::lanes ? copy_rows(copy) : copy_blocks(copy); }

inline void sum_parts(const float* parts, std::int64_t part_count, std::int64_t count, std::int64_t first,
                      std::int64_t last, const float* residual, const SumEpilogue& epilogue, float* output) {
    const V::Float low = V::splat(epilogue.low), high = V::splat(epilogue.high);
    for (std::int64_t i = first; i < last; i += V::lanes) {
        const V::Mask mask = V::first(last - i < V::lanes ? last - i : V::lanes);
        V::Float sum = V::load(parts + i, mask);
        for (std::int64_t p = 1; p < part_count; ++p) sum = V::add(sum, V::load(parts + p * count + i, mask));
        if (residual != nullptr) sum = V::add(sum, V::load(residual + i, mask));
        V::store(output + i, V::at_most(V::at_least(sum, low), high), mask);
    }
    if (epilogue.function != nullptr) epilogue.function(output + first, 0, 1, last - first, epilogue.parameters);
}

template <int Columns, std::size_t... Rows>
constexpr void fill_row_counts(TileFunction* table, std::index_sequence<Rows...>) {
    ((table[Rows] = multiply<static_cast<int>(Rows) + 1, Columns>), ...);
}

struct Table {
    TileFunction functions[2][14] = {};
    constexpr Table() {
        fill_row_counts<1>(functions[0], std::make_index_sequence<group_rows>{});
        fill_row_counts<2>(functions[1], std::make_index_sequence<group_rows>{});
    }
};

constexpr Table table;

}  // namespace
}  // namespace seq::cpu::pointwise
