#pragma once

#include <cstdint>
#include <span>

#include "kernels/cuda/own/portable.hpp"
#include "kernels/kernel.hpp"
#include "kernels/strides.hpp"

namespace seq::cuda::own {

/// Kept as `as` is, in the order that it has.
Placed kept_like(const Placed& placed, const Placed& as);

/// Of an f32 value.
Storage storage_of(const Placed& placed);

std::int64_t count_of(const Placed& placed);

/// A dimension that may count from the end.
std::size_t axis_of(std::int64_t dim, std::size_t rank);

/// Where dimension `dim` lies among those of memory.
std::size_t physical_dim(const Placed& placed, std::size_t dim);

/// The dimensions as they lie in memory, outermost first.
Sizes physical_sizes(const Placed& placed);

/// The strides in elements of each dimension, as the layout has them.
Sizes strides_of(const Placed& placed);

/// What has one number for each dimension, by the dimensions as they lie in memory.
Sizes to_physical(const Sizes& of_dimensions, const Layout& layout);

/// The strides with which a value of `placed` is walked over the physical dimensions of `target`, to whose sizes it
/// broadcasts by PyTorch's rules; 0 where it is repeated. Empty where its layout does not allow that.
Sizes broadcast_strides(const Placed& placed, const Placed& target);

/// At most max_dims sizes.
Space space_of(std::span<const std::int64_t> sizes);
Strides strides_for(std::span<const std::int64_t> strides);

/// Positions in row-major order of `sizes` as offsets, with as few dimensions as there may be.
Walk walk_of(const Sizes& sizes, const Sizes& strides);

}  // namespace seq::cuda::own
