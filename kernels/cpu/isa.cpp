#include "kernels/cpu/isa.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace seq::cpu {
namespace {

Isa detected_isa() {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        return Isa::avx512;
    }
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? Isa::avx2 : Isa::scalar;
}

Isa cap_from_environment() {
    const char* text = std::getenv("SEQ_MAX_ISA");
    if (text == nullptr || *text == '\0') return Isa::avx512;
    for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
        if (text == std::string(name_of(isa))) return isa;
    }
    throw Error("device/unavailable", "SEQ_MAX_ISA is \"" + std::string(text) + "\"; it may be scalar, avx2 or avx512");
}

}  // namespace

Isa machine_isa() {
    static const Isa isa = std::min(detected_isa(), cap_from_environment());
    return isa;
}

Isa usable_isa(const ComputeOptions& options) { return std::min(machine_isa(), options.isa); }

const char* name_of(Isa isa) {
    switch (isa) {
        case Isa::scalar: return "scalar";
        case Isa::avx2: return "avx2";
        case Isa::avx512: break;
    }
    return "avx512";
}

}  // namespace seq::cpu
