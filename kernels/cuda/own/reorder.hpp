#pragma once

#include <memory>

#include "kernels/kernel.hpp"

namespace seq::cuda::own {

/// Copies a value from one layout to another, converted where they keep it differently (input 0 to output 0).
std::unique_ptr<PreparedKernel> make_reorder(const Placed& from, const Placed& to);

}  // namespace seq::cuda::own
