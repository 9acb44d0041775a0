#pragma once

#include <cstdint>

// The inner product of Winograd's form, written with intrinsics: GCC 12 makes a broadcast from memory of nothing else.
namespace seq::cpu::winograd {

/// products[tile][column] = sum over channels of v[tile][channel] · u[channel][column], for a group of tiles and one or
/// two vectors of columns that stay in registers. v is [channels / lanes][tile][lane], u [channels][columns · lanes],
/// products [tile][2 · lanes].
using MultiplyFunction = void (*)(const float* v, const float* u, std::int64_t channels, float* products);

/// For groups of 6, 8, 10, 12 or 14 tiles and 16 lanes; needs AVX-512.
MultiplyFunction multiply_avx512(int group_tiles, int columns);

/// For groups of 4 or 6 tiles and 8 lanes; needs AVX2 and FMA.
MultiplyFunction multiply_avx2(int group_tiles, int columns);

}  // namespace seq::cpu::winograd
