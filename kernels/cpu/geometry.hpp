#pragma once

#include <cstdint>

#include "kernels/kernel.hpp"
#include "kernels/strides.hpp"

namespace seq::cpu {

using seq::dense_strides;
using seq::is_f32_kept;
using seq::product;
using seq::Sizes;

/// a / b, rounded up, and the next multiple of b; a is not negative.
constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
constexpr std::int64_t round_up(std::int64_t a, std::int64_t b) { return divide_up(a, b) * b; }

/// The dimensions as they lie in memory, outermost first: of nChw16c [N, C/16, H, W, 16].
Sizes physical_sizes(const Placed& placed);

/// The strides with which a value of `placed` is walked over the physical dimensions of `target`, to whose sizes it
/// broadcasts by PyTorch's rules; 0 where it is repeated. Empty where its layout does not allow that.
Sizes broadcast_strides(const Placed& placed, const Placed& target);

/// Whether the last block of channels is partly padding.
bool has_channel_tail(const Placed& placed);

/// Writes the zeros that pad the last block of channels.
void clear_channel_tail(const Placed& placed, void* data);

}  // namespace seq::cpu
