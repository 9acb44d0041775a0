#include "kernels/cpu/onednn/problem.hpp"

#include <algorithm>

#include "kernels/cpu/own_kernel.hpp"

namespace seq::onednn {

bool within_limits(const Dims& numbers) {
    constexpr dnnl::memory::dim limit = dnnl::memory::dim{1} << 28;
    return std::all_of(numbers.begin(), numbers.end(), [&](dnnl::memory::dim n) { return n > -limit && n < limit; });
}

Support supports_convolution(const KernelRequest& request, const ConvolutionProblem& problem) {
    if (!cpu::is_f32_kept(request)) return Support::no("computes in f32 and bf16 alone");
    if (problem.padding_mode != "zeros") return Support::no("pads with zeros alone");
    if (!cpu::has_known_parameters(request)) return Support::no("takes weights that are known before the run");
    bool small = within_limits(problem.strides) && within_limits(problem.dilations) && within_limits(problem.weights) &&
                 within_limits(problem.padding_before) && within_limits(problem.padding_after);
    for (const Placed& input : request.inputs) small = small && within_limits({input.sizes.begin(), input.sizes.end()});
    for (const Placed& output : request.outputs)
        small = small && within_limits({output.sizes.begin(), output.sizes.end()});
    return small ? Support{} : Support::no("takes sizes below 2^28 alone");
}

KernelRequest with_operand_kept(const KernelRequest& request, int input) {
    KernelRequest kept = request;
    Placed& operand = kept.inputs[static_cast<std::size_t>(input)];
    operand = operand.in(operand.layout.kept(kept_in(request.options.dtype)));
    return kept;
}

bool reads_past_channels(const KernelRequest& request, const ConvolutionProblem& problem) {
    constexpr dnnl::memory::dim taken_at_once = 32;
    const dnnl::memory::dim channels = problem.weights[problem.groups > 1 ? 2 : 1];
    return product_dtype(request) == DType::bf16 && channels % taken_at_once != 0;
}

std::unique_ptr<PreparedKernel> prepare_in_some_layout(const KernelRequest& request, std::string& refusal,
                                                       const BuildInLayout& build) {
    const Dims source(request.inputs[0].sizes.begin(), request.inputs[0].sizes.end());
    const Dims target(request.outputs[0].sizes.begin(), request.outputs[0].sizes.end());
    std::unique_ptr<PreparedKernel> kernel;
    const auto try_layout = [&](const MemoryDesc& from, const MemoryDesc& to) {
        return attempt(refusal, [&] { kernel = build(from, to); }) && kernel != nullptr;
    };
    const DType from = request.inputs[0].dtype, to = request.outputs[0].dtype;
    const bool wanted = !request.outputs[0].layout.is_plain_order();
    if (wanted && try_layout(describe(request.inputs[0]), describe(request.outputs[0]))) return kernel;
    if (try_layout(describe_any(source, from), describe_any(target, to))) return kernel;
    if (try_layout(describe_plain(source, from), describe_plain(target, to))) return kernel;
    return nullptr;
}

}  // namespace seq::onednn
