#pragma once

#include <cstddef>
#include <cstdint>

#include "graph/dtype.hpp"

namespace seq {

/// IEEE 754 binary16 and bfloat16 by their bits. To the narrower type: rounds to the nearest, ties to even; what is
/// too large becomes infinite. A NaN stays a NaN with its sign and its leading bits.
float f16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_f16(float value);
float bf16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_bf16(float value);
/// Rounded once: not the same as by way of f32.
std::uint16_t f64_to_f16(double value);
std::uint16_t f64_to_bf16(double value);

/// Converts `count` elements between two float dtypes, each rounded once. Both are aligned to their elements.
/// They may overlap where `from` ends where `to` ends and is no wider, or begins where `to` begins and is no narrower.
void convert_floats(const void* from, DType from_dtype, void* to, DType to_dtype, std::size_t count);

}  // namespace seq
