#pragma once

#include <cstdint>
#include <limits>

#include "kernels/cpu/elementwise/functions.hpp"

namespace seq::cpu {

/// Applies a function to `count` numbers of each of `rows` rows, which begin `stride` numbers apart.
using RowFunction = void (*)(float* data, std::int64_t stride, std::int64_t rows, std::int64_t count,
                             const float* parameters);

/// nullptr where there is none for `isa` or `function`.
RowFunction find_row_function(Unary function, Isa isa);
/// Whether find_row_function has it for every instruction set but the scalar one.
bool has_row_function(Unary function);

/// What becomes of each sum before it is stored, a residual apart: clamping, then a function.
struct SumEpilogue {
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
    /// nullptr where clamping is all.
    RowFunction function = nullptr;
    float parameters[2] = {};
};

RowFunction row_function_avx512(Unary function);
RowFunction row_function_avx2(Unary function);

}  // namespace seq::cpu
