#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cuda/own/portable.hpp"
#include "kernels/kernel.hpp"

namespace seq::cuda::own {

using Sizes = std::vector<std::int64_t>;

/// The value in the order of `layout`, kept as it is.
Placed in_order(const Placed& placed, const Layout& layout);

/// Kept as `as` is, in the order that it has.
Placed kept_like(const Placed& placed, const Placed& as);

/// Whether it is an f32 value, however it is kept.
bool is_f32_kept(const Placed& placed);

/// Of an f32 value.
Storage storage_of(const Placed& placed);

/// The product of sizes of a value that is known to fit in memory.
std::int64_t product(std::span<const std::int64_t> sizes);
std::int64_t count_of(const Placed& placed);

/// A dimension that may count from the end.
std::size_t axis_of(std::int64_t dim, std::size_t rank);

/// Where dimension `dim` lies among those of memory.
std::size_t physical_dim(const Placed& placed, std::size_t dim);

/// Row-major strides, in elements.
Sizes dense_strides(std::span<const std::int64_t> sizes);

/// The dimensions as they lie in memory, outermost first.
Sizes physical_sizes(const Placed& placed);

/// The strides in elements of each dimension, as the layout has them.
Sizes strides_of(const Placed& placed);

/// What has one number for each dimension, by the dimensions as they lie in memory.
Sizes to_physical(const Sizes& of_dimensions, const Layout& layout);

/// The strides with which a value of `placed` is walked over the physical dimensions of `target`, to whose sizes it
/// broadcasts by PyTorch's rules; 0 where it is repeated. Empty where its layout does not allow that.
Sizes broadcast_strides(const Placed& placed, const Placed& target);

/// Loops whose dimensions of size 1 are dropped and whose dimensions that all operands walk alike are merged.
struct LoopNest {
    Sizes sizes;                 ///< at least one
    std::vector<Sizes> strides;  ///< for each operand, of the same length as sizes
};
LoopNest merge_loops(const Sizes& sizes, const std::vector<Sizes>& strides);

/// At most max_dims sizes.
Space space_of(std::span<const std::int64_t> sizes);
Strides strides_for(std::span<const std::int64_t> strides);

/// Positions in row-major order of `sizes` as offsets, with as few dimensions as there may be.
Walk walk_of(const Sizes& sizes, const Sizes& strides);

}  // namespace seq::cuda::own
