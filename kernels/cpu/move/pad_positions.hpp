#pragma once

#include "graph/ops/pad.hpp"
#include "kernels/cpu/move/gather.hpp"

namespace seq::cpu {

/// What each position of a padded dimension shows of the `size` positions before.
PositionMap padded_positions(ops::PadMode mode, const ops::PadAmount& amount, std::int64_t size);

}  // namespace seq::cpu
