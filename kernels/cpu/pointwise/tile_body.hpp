#pragma once

#include <utility>

#include "kernels/cpu/pointwise/tile.hpp"
#include "kernels/cpu/tile_sums.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu::pointwise {
namespace {

using V = Vector;

/// Channels that are multiplied between two steps of the pointers, where few lines are fetched for each: with AVX2
/// these steps and fetches are a quarter of all instructions. With AVX-512 a channel has products enough.
constexpr int unrolled_channels = V::lanes == 8 ? 4 : 1;
/// In floats: more are no few lines.
constexpr std::int64_t most_unrolled_step = 8;

template <int Rows, int Columns>
[[gnu::always_inline]] inline void multiply_channels(TileSums<Rows, Columns>& sums, const Tile& tile) {
    const std::int64_t stride = tile.row_stride, ahead_step = tile.ahead_step, rows_step = tile.rows_step;
    const std::int64_t tap_floats = tile.channels * Columns * V::lanes;
    const std::int64_t *tap = tile.tap_offsets, *const last_tap = tap + tile.taps;
    const float *rows = tile.rows, *panel = tile.panel, *ahead = tile.ahead, *rows_ahead = tile.rows_ahead;
    for (; tap != last_tap; ++tap) {
        Channel channel(rows + *tap, stride);
        const float* const end = panel + tap_floats;
        if (unrolled_channels > 1 && ahead_step <= most_unrolled_step && rows_step <= most_unrolled_step) {
            constexpr int floats = unrolled_channels * Columns * V::lanes, half = unrolled_channels / 2;
            for (; end - panel >= floats; panel += floats, ahead += unrolled_channels * ahead_step,
                                          rows_ahead += unrolled_channels * rows_step) {
                _mm_prefetch(reinterpret_cast<const char*>(ahead), _MM_HINT_T1);
                _mm_prefetch(reinterpret_cast<const char*>(ahead + half * ahead_step), _MM_HINT_T1);
                _mm_prefetch(reinterpret_cast<const char*>(rows_ahead), _MM_HINT_T1);
                _mm_prefetch(reinterpret_cast<const char*>(rows_ahead + half * rows_step), _MM_HINT_T1);
#pragma GCC unroll 4
                for (int i = 0; i < unrolled_channels; ++i) {
                    channel.keep_strides();
                    sums.multiply(channel, panel + i * Columns * V::lanes, i);
                }
                channel.advance(unrolled_channels);
            }
        }
        for (; panel != end; panel += Columns * V::lanes, ahead += ahead_step, rows_ahead += rows_step) {
            _mm_prefetch(reinterpret_cast<const char*>(ahead), _MM_HINT_T1);
            _mm_prefetch(reinterpret_cast<const char*>(rows_ahead), _MM_HINT_T1);
            sums.multiply(channel, panel);
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

/// Where the vectors of a tile lie: rows are `stride` floats apart.
template <int Columns>
struct Places {
    std::int64_t stride, vector_stride;
    V::Mask last;

    [[gnu::always_inline]] V::Float load(const float* data, int row, int column) const {
        const float* vector = data + row * stride + column * vector_stride;
        return column + 1 < Columns ? V::load(vector) : V::load(vector, last);
    }
    [[gnu::always_inline]] void store(float* data, int row, int column, V::Float value) const {
        float* vector = data + row * stride + column * vector_stride;
        column + 1 < Columns ? V::store(vector, value) : V::store(vector, value, last);
    }
};

template <int Rows, int Columns>
[[gnu::always_inline]] inline void begin(TileSums<Rows, Columns>& sums, const Tile& tile, Places<Columns> places) {
    const float *bias = tile.bias, *waiting = tile.sums;
    if (waiting == nullptr) {
        sums.by_column([=](int, int column, V::Float& sum)
                           __attribute__((always_inline)) { sum = V::load(bias + column * V::lanes); });
        return;
    }
    places.stride = tile.sums_stride;
    sums.by_row([=](int row, int column, V::Float& sum)
                    __attribute__((always_inline)) { sum = places.load(waiting, row, column); });
}

/// The residual and bounds.
template <int Rows, int Columns>
[[gnu::always_inline]] inline void finish(TileSums<Rows, Columns>& sums, const Tile& tile,
                                          const Places<Columns>& places) {
    if (const float* residual = tile.residual; residual != nullptr) {
        sums.by_row([=](int row, int column, V::Float& sum)
                        __attribute__((always_inline)) { sum = V::add(sum, places.load(residual, row, column)); });
    }
    if (tile.epilogue.low == -__builtin_inff() && tile.epilogue.high == __builtin_inff()) return;
    const V::Float low = V::splat(tile.epilogue.low), high = V::splat(tile.epilogue.high);
    sums.by_column([=](int, int, V::Float& sum)
                       __attribute__((always_inline)) { sum = V::at_most(V::at_least(sum, low), high); });
}

template <int Rows, int Columns>
void multiply(const Tile& tile) {
    const Places<Columns> places{tile.output_stride, V::lanes + tile.output_gap,
                                 V::first(tile.columns - (Columns - 1) * V::lanes)};
    const bool finishes = !tile.unfinished;
    TileSums<Rows, Columns> sums;
    begin<Rows, Columns>(sums, tile, places);
    if (finishes && tile.residual != nullptr) fetch_rows<Rows, Columns>(tile.residual, tile.output_stride);
    multiply_channels<Rows, Columns>(sums, tile);
    if (finishes) finish<Rows, Columns>(sums, tile, places);
    float* const output = tile.output;
    sums.by_row([=](int row, int column, V::Float& sum)
                    __attribute__((always_inline)) { places.store(output, row, column, sum); });
    if (finishes && tile.epilogue.function != nullptr) apply_function(tile, Rows);
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
        fill_row_counts<1>(functions[0], std::make_index_sequence<tile_rows(V::lanes, V::lanes)>{});
        fill_row_counts<2>(functions[1], std::make_index_sequence<tile_rows(V::lanes, 2 * V::lanes)>{});
    }
};

constexpr Table table;

}  // namespace
}  // namespace seq::cpu::pointwise
