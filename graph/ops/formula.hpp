#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/shape.hpp"

namespace seq::ops {

/// A size as an operand of a product: sums are put in parentheses.
std::string factor_text(const Dim& size);

/// Dimensions [first, last) joined by `separator`: "512 · 14 · 14".
std::string join_dims(const Shape& shape, int first, int last, std::string_view separator = " · ");

/// "[N, 8]", "[N, 8] and [N, 4]", "[N, 8], [N, 4] and [N, 2]"; after the third: "and 7 others".
std::string join_shapes(const std::vector<Shape>& shapes);

/// "first", "second", ...; counts from 0.
std::string ordinal(int index);

/// What is left to say after a fault that leaves only the number of dimensions known; nothing after it is blamed for
/// their sizes.
Shape unknown_shape(int rank);

/// The size that comes most often; the first of them where several are as frequent. `sizes` is not empty.
const Dim& most_frequent(const std::vector<Dim>& sizes);

}  // namespace seq::ops
