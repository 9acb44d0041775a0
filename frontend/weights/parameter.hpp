#pragma once

#include <cstddef>
#include <span>

#include "graph/tensor.hpp"

namespace seq {

/// Reads a source's tensor into `out` (its element count times size_of(dtype)), dense and row-major, rounded to the
/// nearest where its float dtype converts to `dtype`. Needs no second copy of the tensor. Throws Error weights/dtype
/// where the dtypes differ and are not both float, weights/file where it cannot be read.
void read_parameter(const WeightSource& source, const WeightSource::Entry& entry, DType dtype,
                    std::span<std::byte> out);

}  // namespace seq
