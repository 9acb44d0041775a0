#include "kernels/cpu/onednn/library.hpp"

#include "kernels/cpu/isa.hpp"

namespace seq::onednn {
namespace {

dnnl::engine make_engine() {
    switch (cpu::machine_isa()) {
        case Isa::scalar: dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41); break;
        case Isa::avx2: dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2); break;
        case Isa::avx512: break;
    }
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
}

}  // namespace

const dnnl::engine& engine() {
    static const dnnl::engine engine = make_engine();
    return engine;
}

dnnl::stream make_stream() { return dnnl::stream(engine()); }

}  // namespace seq::onednn
