#pragma once

#include <memory>

#include "kernels/kernel.hpp"

namespace seq::onednn {

/// Copies a value from one layout to another; nullptr where oneDNN has no such type.
std::unique_ptr<PreparedKernel> make_reorder(const Placed& from, const Placed& to);

/// "oneDNN 3.2.0", or "no oneDNN".
std::string version();
/// The instruction set that oneDNN uses, after the cap: "avx512_core". Empty where there is no oneDNN.
std::string effective_isa();
/// Why nothing here computes in bf16; empty where something does. What oneDNN does without products of bf16 is no
/// faster than f32.
std::string lack_of_bf16();
/// Whether it has tiles of bf16, which this process may use then.
bool has_bf16_tiles();
/// The threads that oneDNN was built with: "TBB", "OMP", ... Empty where there is no oneDNN.
std::string thread_runtime();

}  // namespace seq::onednn
