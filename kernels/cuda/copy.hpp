#pragma once

#include "kernels/kernel.hpp"

namespace seq::cuda {

/// Copies a value to one that has the same bytes in its own layout.
std::unique_ptr<PreparedKernel> make_copy(const Placed& from, const Placed& to);

}  // namespace seq::cuda
