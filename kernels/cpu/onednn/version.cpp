#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernels/cpu/isa.hpp"
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

namespace {

/// Linux gives a process their registers when it asks for them (Documentation/arch/x86/xstate.rst).
bool may_use_tiles() {
    constexpr long request_permission = 0x1023, tile_data = 18;
    static const bool given = syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
    return given;
}

bool has(dnnl::cpu_isa needed) {
    engine();
    const auto bits = static_cast<unsigned>(needed);
    return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
}

}  // namespace

std::string lack_of_bf16() {
    if (has(dnnl::cpu_isa::avx512_core_bf16)) return {};
    const Isa isa = cpu::machine_isa();
    return fmt::format("bf16 takes a processor with avx512_bf16 or amx_bf16; this one computes with {} here",
                       isa == Isa::avx512 ? effective_isa() : cpu::name_of(isa));
}

bool has_bf16_tiles() { return has(dnnl::cpu_isa::avx512_core_amx) && may_use_tiles(); }

std::string thread_runtime() {
    switch (dnnl_version()->cpu_runtime) {
        case DNNL_RUNTIME_TBB: return "TBB";
        case DNNL_RUNTIME_OMP: return "OpenMP";
        case DNNL_RUNTIME_SEQ: return "one thread";
        default: return "its user's thread pool";
    }
}

}  // namespace seq::onednn
