#pragma once

#include <string>

#include "kernels/kernel.hpp"

namespace seq {

/// The CPU's kernels, oneDNN's and our own, after SEQ_MAX_ISA. The list ends in the reference.
const Backend& cpu_backend();

/// What runs here, for `seqc devices`.
struct CpuDescription {
    std::string model;           ///< of the processor, as the system names it; may be empty
    Isa isa = Isa::scalar;       ///< what our own kernels use
    std::string onednn;          ///< "oneDNN 3.2.0", or "no oneDNN"; what else is said of it is empty then
    std::string onednn_isa;      ///< "avx512_core"
    std::string threads;         ///< "oneTBB 2021.8"
    std::string onednn_threads;  ///< "TBB": what oneDNN was built with
    int concurrency = 1;         ///< threads that this process may use
};
CpuDescription describe_cpu();

/// Whether a dense f32 tensor holds NaN, Inf or a magnitude of 2^64 or more, a product of two of which overflows; false
/// for other dtypes.
bool has_extreme(const TensorView& tensor);

}  // namespace seq
