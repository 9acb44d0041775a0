#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/layout.hpp"

namespace seq {

using Sizes = std::vector<std::int64_t>;

/// Whether it is an f32 value, however it is kept.
inline bool is_f32_kept(const Placed& placed) {
    const Kept kept = placed.layout.kept_as;
    return placed.dtype == DType::f32 || (kept != Kept::own && placed.dtype == dtype_of(kept));
}

/// The value in the order of `layout`, kept as it is.
inline Placed in_order(const Placed& placed, const Layout& layout) {
    return placed.in(layout.kept(placed.layout.kept_as));
}

/// The product of sizes of a value that is known to fit in memory.
std::int64_t product(std::span<const std::int64_t> sizes);

/// Row-major strides, in elements.
Sizes dense_strides(std::span<const std::int64_t> sizes);

/// Loops whose dimensions of size 1 are dropped and whose dimensions that all operands walk alike are merged.
struct LoopNest {
    Sizes sizes;                 ///< at least one
    std::vector<Sizes> strides;  ///< for each operand, of the same length as sizes
};
LoopNest merge_loops(const Sizes& sizes, const std::vector<Sizes>& strides);

}  // namespace seq
