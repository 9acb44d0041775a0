#pragma once

#include "graph/tensor.hpp"

namespace seq {

/// Whether scale_in_place takes them: f32, and a factor that broadcasts and has one run of dimensions that are not 1.
bool can_scale(const TensorType& target, const TensorType& factor);

/// target *= factor, broadcast. Both dense.
void scale_in_place(const TensorView& target, const TensorView& factor);

}  // namespace seq
