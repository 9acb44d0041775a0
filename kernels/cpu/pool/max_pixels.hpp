#pragma once

#include <cstdint>

#include "kernels/cpu/pool/pool_plan.hpp"

namespace seq::cpu {

/// How the numbers before and after a pool are kept.
enum class PoolNumbers : std::uint8_t { f32, bf16, bf16_to_f32 };

/// Rows [first, last) of a pool's results from and to whole values; a row is one of output pixels.
using PoolRows = void (*)(const PoolPlan* plan, const void* from, void* to, std::int64_t first, std::int64_t last);

/// For max pools over pixels of several numbers. NaN wins.
PoolRows max_pixels_avx512(PoolNumbers kept);
PoolRows max_pixels_avx2(PoolNumbers kept);

}  // namespace seq::cpu
