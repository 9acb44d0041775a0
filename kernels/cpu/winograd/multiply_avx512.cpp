#include <immintrin.h>

#include "kernels/cpu/winograd/multiply.hpp"

namespace seq::cpu::winograd {
namespace {

constexpr int lanes = 16;

template <int Rows, int Columns>
void multiply(const float* v, const float* u, std::int64_t channels, float* products) {
    __m512 sums[Rows][Columns];
    for (int r = 0; r < Rows; ++r) {
        for (int j = 0; j < Columns; ++j) sums[r][j] = _mm512_setzero_ps();
    }
    for (const float* const end = u + channels * Columns * lanes; u != end; v += Rows * lanes) {
        for (int lane = 0; lane < lanes; ++lane, u += Columns * lanes) {
            __m512 weights[Columns];
            for (int j = 0; j < Columns; ++j) weights[j] = _mm512_loadu_ps(u + j * lanes);
#pragma GCC unroll 16
            for (int r = 0; r < Rows; ++r) {
                const __m512 value = _mm512_set1_ps(v[r * lanes + lane]);
                for (int j = 0; j < Columns; ++j) sums[r][j] = _mm512_fmadd_ps(value, weights[j], sums[r][j]);
            }
        }
    }
    for (int r = 0; r < Rows; ++r) {
        for (int j = 0; j < Columns; ++j) _mm512_storeu_ps(products + (r * 2 + j) * lanes, sums[r][j]);
    }
}

template <int Columns>
MultiplyFunction for_rows(int rows) {
    switch (rows) {
        case 6: return multiply<6, Columns>;
        case 8: return multiply<8, Columns>;
        case 10: return multiply<10, Columns>;
        case 12: return multiply<12, Columns>;
        case 14: return multiply<14, Columns>;
        default: return nullptr;
    }
}

}  // namespace

MultiplyFunction multiply_avx512(int group_tiles, int columns) {
    return columns == 2 ? for_rows<2>(group_tiles) : for_rows<1>(group_tiles);
}

}  // namespace seq::cpu::winograd
