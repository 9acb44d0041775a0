#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace seq {

enum class DType : std::uint8_t { f32, bf16, f16, f64, i64, i32, i8, u8, boolean };

/// Bytes that one element takes.
std::size_t size_of(DType dtype);

/// The name in a model file: "f32", ..., "bool".
std::string_view name_of(DType dtype);

std::optional<DType> parse_dtype(std::string_view name);

bool is_float(DType dtype);

}  // namespace seq
