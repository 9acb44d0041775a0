#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "kernels/layout.hpp"

namespace seq {

/// In which numbers what multiplies matrices multiplies; sums are f32. f32 is strict. tf32: the device rounds factors
/// to 11 significant bits, and all values stay f32. f16, bf16: factors are rounded to that type, and values between
/// layers may be kept in it.
enum class MathMode : std::uint8_t { f32, tf32, f16, bf16 };

inline constexpr MathMode all_math_modes[] = {MathMode::f32, MathMode::tf32, MathMode::f16, MathMode::bf16};

/// "f32", "tf32", "f16", "bf16"
std::string_view name_of(MathMode mode);
std::optional<MathMode> parse_math_mode(std::string_view name);

/// How f32 values may be kept between layers.
Kept kept_in(MathMode mode);
/// The dtype that this is.
DType storage_type(MathMode mode);

}  // namespace seq
