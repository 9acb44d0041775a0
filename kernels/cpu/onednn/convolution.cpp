#include "kernels/cpu/onednn/convolution.hpp"

#include "graph/ops/convolution.hpp"
#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/kernels.hpp"

namespace seq::onednn {
namespace {

using PrimitiveDesc = dnnl::convolution_forward::primitive_desc;

template <int N>
std::optional<ConvolutionProblem> problem_of(const KernelRequest& request) {
    const auto* conv = request.node.op.as<ops::Conv<N>>();
    if (conv == nullptr) return std::nullopt;
    ConvolutionProblem problem;
    problem.groups = conv->groups;
    problem.bias = conv->bias;
    problem.padding_mode = conv->padding_mode;
    for (int i = 0; i < N; ++i) {
        const ops::Window window = conv->window(i);
        problem.strides.push_back(window.stride);
        problem.dilations.push_back(window.dilation - 1);
        problem.padding_before.push_back(window.pad_before);
        problem.padding_after.push_back(window.pad_after);
    }
    return problem;
}

PrimitiveDesc describe_primitive(const ConvolutionProblem& p, const MemoryDesc& source, const MemoryDesc& weights,
                                 const MemoryDesc& target, const dnnl::primitive_attr& attributes) {
    const MemoryDesc bias = p.bias ? describe_plain({target.get_dims()[1]}) : MemoryDesc();
    return {engine(),
            dnnl::prop_kind::forward_inference,
            dnnl::algorithm::convolution_direct,
            source,
            weights,
            bias,
            target,
            p.strides,
            p.dilations,
            p.padding_before,
            p.padding_after,
            attributes};
}

std::unique_ptr<PreparedKernel> build(const KernelRequest& request, WeightProvider& provider,
                                      const ConvolutionProblem& p, const MemoryDesc& source, const MemoryDesc& target,
                                      std::string& refusal) {
    const FusedEpilogue fused = fuse_epilogue(request, {target.get_dims(), 1, target});
    const PrimitiveDesc desc =
        describe_primitive(p, source, describe_any(p.weights, product_dtype(request)), target, fused.attributes);
    if (!request.outputs[0].layout.is_plain_order() && is_plain_loops(desc)) {
        refusal = "oneDNN has plain loops alone for this layout";
        return nullptr;
    }
    const auto source_layout = layout_of(desc.src_desc(), request.inputs[0]);
    const auto target_layout = layout_of(desc.dst_desc(), request.outputs[0]);
    if (!source_layout || !target_layout) {
        refusal = "oneDNN wants a layout that only it knows";
        return nullptr;
    }
    PrimitiveBuilder builder(request, provider);
    builder.input(DNNL_ARG_SRC, desc.src_desc(), 0, *source_layout);
    builder.weight(DNNL_ARG_WEIGHTS, describe_plain(p.weights), desc.weights_desc(), 1);
    if (p.bias) builder.weight(DNNL_ARG_BIAS, desc.bias_desc(), desc.bias_desc(), 2);
    builder.output(DNNL_ARG_DST, desc.dst_desc(), *target_layout);
    return builder.finish(desc, fused, bare_convolution(request, p, fused, desc, describe_primitive), refusal);
}

class Convolution final : public Kernel {
   public:
    std::string_view name() const override { return "onednn.convolution"; }
    bool takes_lowered() const override { return true; }

    Support supports(const KernelRequest& request) const override {
        const auto problem = convolution_problem(request);
        if (!problem) return Support::no("takes Conv1d, Conv2d and Conv3d alone");
        return supports_convolution(request, *problem);
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        return prepare_convolution(request, weights, convolution_problem(request).value(), refusal);
    }
};

}  // namespace

std::optional<ConvolutionProblem> convolution_problem(const KernelRequest& request) {
    auto problem = problem_of<1>(request);
    if (!problem) problem = problem_of<2>(request);
    if (!problem) problem = problem_of<3>(request);
    if (!problem) return std::nullopt;
    const Placed& weight = request.inputs[1];
    problem->weights.assign(weight.sizes.begin(), weight.sizes.end());
    if (problem->groups > 1) {
        problem->weights[0] /= problem->groups;
        problem->weights.insert(problem->weights.begin(), problem->groups);
    }
    return problem;
}

std::unique_ptr<PreparedKernel> prepare_convolution(const KernelRequest& request, WeightProvider& weights,
                                                    const ConvolutionProblem& problem, std::string& refusal) {
    const KernelRequest kept = with_operand_kept(request);
    return prepare_in_some_layout(kept, refusal, [&](const MemoryDesc& source, const MemoryDesc& target) {
        return build(kept, weights, problem, source, target, refusal);
    });
}

}  // namespace seq::onednn

namespace seq::cpu {

const Kernel& convolution_kernel() {
    static const onednn::Convolution kernel;
    return kernel;
}

}  // namespace seq::cpu
