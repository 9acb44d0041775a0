#include "kernels/cpu/amx/panel.hpp"

#include <immintrin.h>

namespace seq::cpu::amx {
namespace {

/// Palette 1 of the architecture.
struct alignas(64) TileConfiguration {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {};
    std::uint8_t rows[16] = {};
};

struct Fetch {
    const char* at;
    std::int64_t left;  // lines
    std::int64_t each;  // a step

    void step() {
        const std::int64_t lines = left < each ? left : each;
        for (std::int64_t i = 0; i < lines; ++i, at += 64) _mm_prefetch(at, _MM_HINT_T1);
        left -= lines;
    }
};

/// Tiles 0 to 3 become the sums of two row tiles (4 and 5) with two tiles of weights (6 and 7).
void sum(const Panel& panel, const RowTile& first, const RowTile& second, Fetch& fetch) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    const auto row_bytes = static_cast<std::size_t>(panel.channels) * sizeof(std::uint16_t);
    const std::uint16_t* weights = panel.weights;
    for (std::int64_t tap = 0; tap < panel.tap_count; ++tap) {
        const std::uint16_t* a = panel.left + (first.source + panel.taps[tap]) * panel.channels;
        const std::uint16_t* b = panel.left + (second.source + panel.taps[tap]) * panel.channels;
        for (std::int64_t k = 0; k < panel.channels; k += step_depth, weights += step_weights) {
            _tile_loadd(4, a + k, row_bytes);
            _tile_loadd(6, weights, 64);
            _tile_loadd(7, weights + step_weights / 2, 64);
            _tile_loadd(5, b + k, row_bytes);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
            fetch.step();
        }
    }
}

__m512 widened(const std::uint16_t* from) {
    const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

/// max and min give their second operand where one is NaN.
__m512 finished(const Panel& panel, __m512 value, __m512 bias, const std::uint16_t* residual) {
    value = _mm512_add_ps(value, bias);
    if (residual != nullptr) value = _mm512_add_ps(value, widened(residual));
    return _mm512_min_ps(_mm512_set1_ps(panel.high), _mm512_max_ps(_mm512_set1_ps(panel.low), value));
}

void write(const Panel& panel, const RowTile& tile, const float* left, const float* right) {
    const __m512 bias_left = _mm512_loadu_ps(panel.bias), bias_right = _mm512_loadu_ps(panel.bias + 16);
    for (int row = 0; row < panel.tile_rows; ++row) {
        const std::int64_t target = tile.target[static_cast<std::size_t>(row)];
        if (target < 0) continue;
        const std::int64_t at = target * panel.result_columns;
        const std::uint16_t* residual = panel.residual == nullptr ? nullptr : panel.residual + at;
        const __m512 a = finished(panel, _mm512_load_ps(left + row * 16), bias_left, residual);
        const __m512 b = finished(panel, _mm512_load_ps(right + row * 16), bias_right,
                                  residual == nullptr ? nullptr : residual + 16);
        const __m512bh both = _mm512_cvtne2ps_pbh(b, a);
        __builtin_memcpy(panel.result + at, &both, sizeof both);
    }
}

}  // namespace

void configure(int tile_rows) {
    TileConfiguration configuration;
    for (int tile = 0; tile < 8; ++tile) {
        configuration.row_bytes[tile] = 64;
        configuration.rows[tile] = static_cast<std::uint8_t>(tile < 6 ? tile_rows : 16);
    }
    // GCC's intrinsic says that it reads the first 8 bytes alone.
    asm volatile("" : : "r"(&configuration) : "memory");
    _tile_loadconfig(&configuration);
}

void release() { _tile_release(); }

void multiply(const Panel& panel, const RowTile* tiles, std::int64_t count) {
    alignas(64) float sums[4][most_rows * 16];
    const std::int64_t steps = panel.tap_count * panel.channels / step_depth;
    const std::int64_t lines = panel.next == nullptr ? 0 : steps * step_weights * 2 / 64;
    Fetch fetch{reinterpret_cast<const char*>(panel.next), lines, (lines * 2 + steps * count - 1) / (steps * count)};
    for (std::int64_t i = 0; i < count; i += 2) {
        sum(panel, tiles[i], tiles[i + 1], fetch);
        _tile_stored(0, sums[0], 64);
        _tile_stored(1, sums[1], 64);
        _tile_stored(2, sums[2], 64);
        _tile_stored(3, sums[3], 64);
        write(panel, tiles[i], sums[0], sums[1]);
        write(panel, tiles[i + 1], sums[2], sums[3]);
    }
}

}  // namespace seq::cpu::amx
