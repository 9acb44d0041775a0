#include "graph/ops/conv_transpose.hpp"

#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/onednn/convolution.hpp"

namespace seq::onednn {
namespace {

using PrimitiveDesc = dnnl::deconvolution_forward::primitive_desc;

template <int N>
std::optional<ConvolutionProblem> problem_of(const Op& op) {
    const auto* conv = op.as<ops::ConvTranspose<N>>();
    if (conv == nullptr) return std::nullopt;
    ConvolutionProblem problem;
    problem.groups = conv->groups;
    problem.bias = conv->bias;
    problem.padding_mode = conv->padding_mode;
    for (int i = 0; i < N; ++i) {
        problem.strides.push_back(conv->stride.at(i));
        problem.dilations.push_back(conv->dilation.at(i) - 1);
        problem.padding_before.push_back(conv->padding.at(i));
        // Output padding lets the result reach further; oneDNN takes it as padding that is less, down to below 0.
        problem.padding_after.push_back(conv->padding.at(i) - conv->output_padding.at(i));
    }
    return problem;
}

/// The weights as oneDNN counts dimensions, output channels first; `strides` are those of PyTorch's order, in which
/// input channels come first.
struct SwappedWeights {
    Dims dims, strides;
};

SwappedWeights swapped(const cpu::Sizes& pytorch, std::int64_t groups) {
    const cpu::Sizes dense = cpu::dense_strides(pytorch);
    const std::int64_t in_channels = pytorch[0] / groups;
    SwappedWeights weights;
    if (groups > 1) {
        weights.dims.push_back(groups);
        weights.strides.push_back(in_channels * dense[0]);
    }
    weights.dims.insert(weights.dims.end(), {pytorch[1], in_channels});
    weights.strides.insert(weights.strides.end(), {dense[1], dense[0]});
    weights.dims.insert(weights.dims.end(), pytorch.begin() + 2, pytorch.end());
    weights.strides.insert(weights.strides.end(), dense.begin() + 2, dense.end());
    return weights;
}

std::optional<ConvolutionProblem> problem_of(const KernelRequest& request) {
    auto problem = problem_of<1>(request.node.op);
    if (!problem) problem = problem_of<2>(request.node.op);
    if (!problem) problem = problem_of<3>(request.node.op);
    if (problem) problem->weights = swapped(request.inputs[1].sizes, problem->groups).dims;
    return problem;
}

PrimitiveDesc describe_primitive(const ConvolutionProblem& p, const MemoryDesc& source, const MemoryDesc& weights,
                                 const MemoryDesc& target, const dnnl::primitive_attr& attributes) {
    const MemoryDesc bias = p.bias ? describe_plain({target.get_dims()[1]}) : MemoryDesc();
    return {engine(),
            dnnl::prop_kind::forward_inference,
            dnnl::algorithm::deconvolution_direct,
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

/// Whether post-ops are applied number by number, after the backward pass of a convolution that is the product.
bool applies_slowly(const PrimitiveDesc& desc) {
    return std::string_view(desc.impl_info_str()).starts_with("conv:any");
}

std::unique_ptr<PreparedKernel> build(const KernelRequest& request, WeightProvider& provider,
                                      const ConvolutionProblem& p, const MemoryDesc& source, const MemoryDesc& target,
                                      std::string& refusal) {
    const MemoryDesc any_weights = describe_any(p.weights, product_dtype(request));
    FusedEpilogue fused = fuse_epilogue(request, {target.get_dims(), 1, target});
    PrimitiveDesc desc = describe_primitive(p, source, any_weights, target, fused.attributes);
    // A result that is kept as bf16 is rounded once, after the whole epilogue.
    if (fused.count > 0 && !request.outputs[0].layout.is_lowered() && applies_slowly(desc)) {
        fused = no_fusion();
        desc = describe_primitive(p, source, any_weights, target, fused.attributes);
    }
    const auto source_layout = layout_of(desc.src_desc(), request.inputs[0]);
    const auto target_layout = layout_of(desc.dst_desc(), request.outputs[0]);
    if (!source_layout || !target_layout) {
        refusal = "oneDNN wants a layout that only it knows";
        return nullptr;
    }
    const SwappedWeights weights = swapped(request.inputs[1].sizes, p.groups);
    PrimitiveBuilder builder(request, provider);
    builder.input(DNNL_ARG_SRC, desc.src_desc(), 0, *source_layout);
    builder.weight(DNNL_ARG_WEIGHTS, MemoryDesc(weights.dims, dnnl::memory::data_type::f32, weights.strides),
                   desc.weights_desc(), 1);
    if (p.bias) builder.weight(DNNL_ARG_BIAS, desc.bias_desc(), desc.bias_desc(), 2);
    builder.output(DNNL_ARG_DST, desc.dst_desc(), *target_layout);
    return builder.finish(desc, fused, bare_convolution(request, p, fused, desc, describe_primitive), refusal);
}

class ConvTranspose final : public Kernel {
   public:
    std::string_view name() const override { return "onednn.deconvolution"; }
    bool takes_lowered() const override { return true; }

    Support supports(const KernelRequest& request) const override {
        const auto problem = problem_of(request);
        if (!problem) return Support::no("takes ConvTranspose1d, ConvTranspose2d and ConvTranspose3d alone");
        return supports_convolution(request, *problem);
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const ConvolutionProblem problem = problem_of(request).value();
        const KernelRequest kept = with_operand_kept(request);
        return prepare_in_some_layout(kept, refusal, [&](const MemoryDesc& source, const MemoryDesc& target) {
            return build(kept, weights, problem, source, target, refusal);
        });
    }
};

}  // namespace
}  // namespace seq::onednn

namespace seq::cpu {

const Kernel& conv_transpose_kernel() {
    static const onednn::ConvTranspose kernel;
    return kernel;
}

}  // namespace seq::cpu
