#pragma once

#include <span>

#include "graph/tensor.hpp"

namespace seq {

/// Whether scale_in_place takes them: f32, and a factor that broadcasts and has one run of dimensions that are not 1.
bool can_scale(const TensorType& target, const TensorType& factor);

/// target *= factor, broadcast. Both dense.
void scale_in_place(const TensorView& target, const TensorView& factor);

/// The same for the elements from `first` on of a target of these sizes.
void scale_part_in_place(std::span<float> part, std::int64_t first, std::span<const std::int64_t> sizes,
                         const TensorView& factor);

}  // namespace seq
