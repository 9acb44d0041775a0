#pragma once

#include "kernels/kernel.hpp"

namespace seq::cpu {

/// The widest instruction set that this machine has and that SEQ_MAX_ISA (scalar, avx2 or avx512) allows; read once.
/// Throws seq::Error (device/unavailable) where SEQ_MAX_ISA is none of these words.
Isa machine_isa();

/// machine_isa(), or less where the options ask for less.
Isa usable_isa(const ComputeOptions& options);

/// "avx512"
const char* name_of(Isa isa);

}  // namespace seq::cpu
