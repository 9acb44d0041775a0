#pragma once

#include "graph/tensor.hpp"

namespace seq {

/// Copies `from` into `to`, both dense and of equal sizes, converting between float dtypes. Returns false, and
/// does nothing, where the dtypes differ and are not both float.
bool convert(const TensorView& from, const TensorView& to);

}  // namespace seq
