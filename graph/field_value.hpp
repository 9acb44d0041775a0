#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace seq {

/// The value of one field of a layer; monostate is null.
using FieldValue = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                                std::vector<double>>;

/// Null in a list of integers: [null, 7].
inline constexpr std::int64_t null_entry = std::numeric_limits<std::int64_t>::min();

/// As in a model file: 3, [1, 2], "same", true, null. Numbers print in the shortest form that reads back.
std::string to_string(const FieldValue& value);

}  // namespace seq
