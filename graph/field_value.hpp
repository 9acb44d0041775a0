#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace seq {

/// The value of one field of a layer; monostate is null.
using FieldValue = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                                std::vector<double>>;

/// As in a model file: 3, [1, 2], "same", true, null. Numbers print in the shortest form that reads back.
std::string to_string(const FieldValue& value);

}  // namespace seq
