#pragma once

#include <memory>

#include "kernels/kernel.hpp"

namespace seq::onednn {

/// Copies a value from one layout to another; nullptr where oneDNN has no such type.
std::unique_ptr<PreparedKernel> make_reorder(const Placed& from, const Placed& to);

/// "oneDNN 3.2.0"
std::string version();
/// The instruction set that oneDNN uses, after the cap: "avx512_core".
std::string effective_isa();
/// The threads that oneDNN was built with: "TBB", "OMP", ...
std::string thread_runtime();

}  // namespace seq::onednn
