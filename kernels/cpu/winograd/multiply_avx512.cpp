#include <immintrin.h>

#include "kernels/cpu/winograd/routines.hpp"

namespace seq::cpu::winograd {
namespace {

constexpr int lanes = 16;

template <int Rows, int Columns>
[[gnu::always_inline]] inline void add_channels(const float* v, const float* u, int count,
                                                __m512 (&sums)[Rows][Columns]) {
    for (int lane = 0; lane < count; ++lane, u += Columns * lanes) {
        __m512 weights[Columns];
        for (int j = 0; j < Columns; ++j) weights[j] = _mm512_loadu_ps(u + j * lanes);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            const __m512 value = _mm512_set1_ps(v[r * lanes + lane]);
            for (int j = 0; j < Columns; ++j) sums[r][j] = _mm512_fmadd_ps(value, weights[j], sums[r][j]);
        }
    }
}

template <int Rows, int Columns>
void multiply(const float* v, const float* u, std::int64_t channels, float* products, Ahead weights,
              Ahead tiles) {
    __m512 sums[Rows][Columns];
    for (int r = 0; r < Rows; ++r) {
        for (int j = 0; j < Columns; ++j) sums[r][j] = _mm512_setzero_ps();
    }
    for (; channels >= lanes; channels -= lanes) {
        for (std::int64_t i = 0; i < weights.lines; ++i, weights.from += 16) _mm_prefetch(weights.from, _MM_HINT_T0);
        for (std::int64_t i = 0; i < tiles.lines; ++i, tiles.from += 16) _mm_prefetch(tiles.from, _MM_HINT_T1);
        add_channels<Rows, Columns>(v, u, lanes, sums);
        v += Rows * lanes;
        u += lanes * Columns * lanes;
    }
    add_channels<Rows, Columns>(v, u, static_cast<int>(channels), sums);
    for (int r = 0; r < Rows; ++r) {
        for (int j = 0; j < Columns; ++j) _mm512_storeu_ps(products + (r * 2 + j) * lanes, sums[r][j]);
    }
}

template <int Columns>
Multiply for_tiles(std::int64_t tiles) {
    switch (tiles) {
        case 1: return multiply<1, Columns>;
        case 2: return multiply<2, Columns>;
        case 3: return multiply<3, Columns>;
        case 4: return multiply<4, Columns>;
        case 5: return multiply<5, Columns>;
        case 6: return multiply<6, Columns>;
        case 7: return multiply<7, Columns>;
        case 8: return multiply<8, Columns>;
        case 9: return multiply<9, Columns>;
        case 10: return multiply<10, Columns>;
        case 11: return multiply<11, Columns>;
        case 12: return multiply<12, Columns>;
        case 13: return multiply<13, Columns>;
        case 14: return multiply<14, Columns>;
        default: return nullptr;
    }
}

}  // namespace

Multiply multiply_avx512(std::int64_t group_tiles, int columns) {
    return columns == 2 ? for_tiles<2>(group_tiles) : for_tiles<1>(group_tiles);
}

}  // namespace seq::cpu::winograd
