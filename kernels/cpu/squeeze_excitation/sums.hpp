#pragma once

#include <cstdint>

#include "kernels/kernel.hpp"

namespace seq::cpu::squeeze_excitation {

/// Rows whose sum is wanted for each channel.
struct Rows {
    const float* first = nullptr;
    std::int64_t stride = 0;  ///< in floats, between rows
    std::int64_t count = 0;
    std::int64_t channels = 0;
    float factor = 1;
};

/// sums[c] = factor · the sum of rows[r][c] over r. Long sums are made of short ones, so that little is lost.
using SumFunction = void (*)(const Rows& rows, float* sums);

SumFunction sum_rows_avx512();
SumFunction sum_rows_avx2();

}  // namespace seq::cpu::squeeze_excitation
