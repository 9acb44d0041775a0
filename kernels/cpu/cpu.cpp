#include "kernels/cpu/cpu.hpp"

#include <fmt/format.h>
#include <oneapi/tbb/version.h>

#include <fstream>
#include <string>

#include "kernels/cpu/control_group.hpp"
#include "kernels/cpu/copy.hpp"
#include "kernels/cpu/flush.hpp"
#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/onednn/reorder.hpp"

namespace seq {
namespace {

/// In the order in which they are tried.
const KernelList& cpu_kernels() {
    static const KernelList kernels{
        &cpu::amx_convolution_kernel(),
        &cpu::winograd4_kernel(),
        &cpu::winograd2_kernel(),
        &cpu::pointwise_kernel(),
        &cpu::depthwise_kernel(),
        &cpu::few_channels_kernel(),
        &cpu::few_outputs_kernel(),
        &cpu::grouped_kernel(),
        &cpu::direct_kernel(),
        &cpu::convolution_kernel(),
        &cpu::padded_convolution_kernel(),
        &cpu::spread_kernel(),
        &cpu::transposed_kernel(),
        &cpu::conv_transpose_kernel(),
        &cpu::linear_kernel(),
        &cpu::matmul_kernel(),
        &cpu::elementwise_kernel(),
        &cpu::batch_norm_kernel(),
        &cpu::pool_kernel(),
        &cpu::layer_norm_kernel(),
        &cpu::statistics_norm_kernel(),
        &cpu::local_response_norm_kernel(),
        &cpu::softmax_kernel(),
        &cpu::glu_kernel(),
        &cpu::gather_kernel(),
        &cpu::rearrange_kernel(),
        &cpu::view_kernel(),
        &cpu::upsample_kernel(),
        &cpu::reduce_kernel(),
        &cpu::embedding_kernel(),
        &cpu::bilinear_kernel(),
        &cpu::reference_kernel(),
    };
    return kernels;
}

/// In the order in which they are tried.
const GroupKernelList& cpu_group_kernels() {
    static const GroupKernelList kernels{
        &cpu::small_net_kernel(),          &cpu::inverted_residual_kernel(), &cpu::scaled_pointwise_kernel(),
        &cpu::squeeze_excitation_kernel(), &cpu::channel_shuffle_kernel(),
    };
    return kernels;
}

std::unique_ptr<PreparedKernel> make_reorder(const Placed& from, const Placed& to, const ComputeOptions&) {
    if (from == to) return cpu::make_copy(from);
    auto kernel = onednn::make_reorder(from, to);
    if (!kernel) {
        throw Error("device/unavailable",
                    fmt::format("no kernel copies {} from the {} to the {} layout", name_of(from.dtype),
                                from.layout.to_string(), to.layout.to_string()));
    }
    return kernel;
}

std::string lacks(MathMode mode) {
    if (mode == MathMode::tf32) return "tf32 is a mode of GPUs; the CPU computes in f32 and bf16";
    if (mode == MathMode::f16) return "f16 is no dtype to compute in on the CPU: f32 and bf16 are";
    return mode == MathMode::f32 ? std::string() : onednn::lack_of_bf16();
}

std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("model name")) continue;
        const std::size_t start = line.find_first_not_of(" \t", line.find(':') + 1);
        return start == std::string::npos ? std::string() : line.substr(start);
    }
    return {};
}

std::string identity() {
    const CpuDescription description = describe_cpu();
    return fmt::format("{}, {}, {} {}", description.model, cpu::name_of(description.isa), description.onednn,
                       description.onednn_isa);
}

}  // namespace

const Backend& cpu_backend() {
    static const Backend backend{"cpu",        &cpu_kernels(), &cpu_group_kernels(),
                                 make_reorder, has_extreme,    cpu::machine_isa(),
                                 identity,     lacks,          cpu::flush};
    return backend;
}

CpuDescription describe_cpu() {
    CpuDescription description;
    description.model = processor_name();
    description.isa = cpu::machine_isa();
    description.onednn = onednn::version();
    description.onednn_isa = onednn::effective_isa();
    description.threads = fmt::format("oneTBB {}.{}", TBB_VERSION_MAJOR, TBB_VERSION_MINOR);
    description.onednn_threads = onednn::thread_runtime();
    description.concurrency = cpu::usable_concurrency();
    return description;
}

}  // namespace seq
