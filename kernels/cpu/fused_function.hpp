#pragma once

#include <cstdint>

#include "kernels/cpu/elementwise/functions.hpp"

namespace seq::cpu {

/// Applies a function to `count` numbers of each of `rows` rows, which begin `stride` numbers apart.
using RowFunction = void (*)(float* data, std::int64_t stride, std::int64_t rows, std::int64_t count,
                             const float* parameters);

/// nullptr where there is none for `isa` or `function`.
RowFunction find_row_function(Unary function, Isa isa);
/// Whether find_row_function has it for every instruction set but the scalar one.
bool has_row_function(Unary function);

RowFunction row_function_avx512(Unary function);
RowFunction row_function_avx2(Unary function);

}  // namespace seq::cpu
