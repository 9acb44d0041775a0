#include <fmt/format.h>

#include "kernels/cpu/onednn/library.hpp"
#include "kernels/cpu/onednn/reorder.hpp"

namespace seq::onednn {

std::string version() {
    const dnnl_version_t* found = dnnl_version();
    return fmt::format("oneDNN {}.{}.{}", found->major, found->minor, found->patch);
}

std::string effective_isa() {
    engine();
    switch (dnnl::get_effective_cpu_isa()) {
        case dnnl::cpu_isa::sse41: return "sse41";
        case dnnl::cpu_isa::avx: return "avx";
        case dnnl::cpu_isa::avx2: return "avx2";
        case dnnl::cpu_isa::avx2_vnni: return "avx2_vnni";
        case dnnl::cpu_isa::avx512_core: return "avx512_core";
        case dnnl::cpu_isa::avx512_core_vnni: return "avx512_core_vnni";
        case dnnl::cpu_isa::avx512_core_bf16: return "avx512_core_bf16";
        case dnnl::cpu_isa::avx512_core_fp16: return "avx512_core_fp16";
        case dnnl::cpu_isa::avx512_core_amx: return "avx512_core_amx";
        default: return fmt::format("0x{:x}", static_cast<unsigned>(dnnl::get_effective_cpu_isa()));
    }
}

std::string thread_runtime() {
    switch (dnnl_version()->cpu_runtime) {
        case DNNL_RUNTIME_TBB: return "TBB";
        case DNNL_RUNTIME_OMP: return "OpenMP";
        case DNNL_RUNTIME_SEQ: return "one thread";
        default: return "its user's thread pool";
    }
}

}  // namespace seq::onednn
