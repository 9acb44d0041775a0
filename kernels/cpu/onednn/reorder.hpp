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
/// Whether that has products of bf16: what oneDNN does without them is no faster than f32.
bool has_bf16_products();
/// Whether it has tiles of bf16, which this process may use then.
bool has_bf16_tiles();
/// The threads that oneDNN was built with: "TBB", "OMP", ...
std::string thread_runtime();

}  // namespace seq::onednn
