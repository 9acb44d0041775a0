#pragma once

#include <memory>

#include "kernels/kernel.hpp"

namespace seq::cpu {

/// Copies input 0 to output 0, which lie alike.
std::unique_ptr<PreparedKernel> make_copy(const Placed& placed);

}  // namespace seq::cpu
