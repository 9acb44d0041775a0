#pragma once

#include <memory>

#include "kernels/kernel.hpp"

namespace seq::cpu {

/// Copies a value from one layout to another by plain loops, for builds without oneDNN; nullptr where one holds another
/// type's numbers that are no f32 values kept differently.
std::unique_ptr<PreparedKernel> make_plain_reorder(const Placed& from, const Placed& to);

}  // namespace seq::cpu
