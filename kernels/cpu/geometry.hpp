#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernel.hpp"

namespace seq::cpu {

using Sizes = std::vector<std::int64_t>;

/// a / b, rounded up, and the next multiple of b; a is not negative.
constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
constexpr std::int64_t round_up(std::int64_t a, std::int64_t b) { return divide_up(a, b) * b; }

/// Whether it is an f32 value, however it is kept.
inline bool is_f32_or_bf16(const Placed& placed) {
    return placed.dtype == DType::f32 || (placed.dtype == DType::bf16 && placed.layout.kept_as == Kept::bf16);
}

/// The value in the order of `layout`, kept as it is.
inline Placed in_order(const Placed& placed, const Layout& layout) {
    return placed.in(layout.kept(placed.layout.kept_as));
}

/// The product of sizes of a value that is known to fit in memory.
std::int64_t product(std::span<const std::int64_t> sizes);

/// Row-major strides, in elements.
Sizes dense_strides(std::span<const std::int64_t> sizes);

/// The dimensions as they lie in memory, outermost first: of nChw16c [N, C/16, H, W, 16].
Sizes physical_sizes(const Placed& placed);

/// The strides with which a value of `placed` is walked over the physical dimensions of `target`, to whose sizes it
/// broadcasts by PyTorch's rules; 0 where it is repeated. Empty where its layout does not allow that.
Sizes broadcast_strides(const Placed& placed, const Placed& target);

/// Whether the last block of channels is partly padding.
bool has_channel_tail(const Placed& placed);

/// Writes the zeros that pad the last block of channels.
void clear_channel_tail(const Placed& placed, void* data);

/// Loops whose dimensions of size 1 are dropped and whose dimensions that all operands walk alike are merged.
struct LoopNest {
    Sizes sizes;                 ///< at least one
    std::vector<Sizes> strides;  ///< for each operand, of the same length as sizes
};
LoopNest merge_loops(Sizes sizes, std::vector<Sizes> strides);

}  // namespace seq::cpu
