#pragma once

#include <cstdint>
#include <string>

#include "graph/diagnostic.hpp"

namespace seq {

/// Error run/index of the Embedding `layer`, whose input has `row` as the element at `position`, and whose table has
/// `rows` rows.
Error row_error(const std::string& layer, std::int64_t rows, std::int64_t position, std::int64_t row);

}  // namespace seq
