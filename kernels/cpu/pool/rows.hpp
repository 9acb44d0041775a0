#pragma once

#include <cstdint>

#include "kernels/cpu/pool/pool_plan.hpp"

namespace seq::cpu {

/// How the numbers before and after a pool are kept.
enum class PoolNumbers : std::uint8_t { f32, bf16, bf16_to_f32 };

/// Rows [first, last) of a pool's results from and to whole values; a row is one of output pixels. Of maxima NaN wins.
using PoolRows = void (*)(const PoolPlan* plan, const void* from, void* to, std::int64_t first, std::int64_t last);

/// For pixels of several numbers, or where `planes` holds of one.
PoolRows pool_rows_avx512(PoolMode mode, PoolNumbers kept, bool planes);
PoolRows pool_rows_avx2(PoolMode mode, PoolNumbers kept, bool planes);
PoolRows pool_rows_baseline(PoolMode mode, PoolNumbers kept, bool planes);

}  // namespace seq::cpu
