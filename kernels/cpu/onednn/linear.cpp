#include "graph/ops/linear.hpp"

#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/onednn/primitive.hpp"
#include "kernels/cpu/onednn/problem.hpp"
#include "kernels/cpu/own_kernel.hpp"

namespace seq::onednn {
namespace {

using PrimitiveDesc = dnnl::inner_product_forward::primitive_desc;

PrimitiveDesc describe_primitive(const MemoryDesc& source, const MemoryDesc& weights, const MemoryDesc& bias,
                                 const MemoryDesc& target, const dnnl::primitive_attr& attributes) {
    return {engine(), dnnl::prop_kind::forward_inference, source, weights, bias, target, attributes};
}

/// Any number of rows, which stand for all dimensions but the last.
class Linear final : public Kernel {
   public:
    std::string_view name() const override { return "onednn.inner_product"; }
    bool takes_lowered() const override { return true; }

    Support supports(const KernelRequest& request) const override {
        if (!request.node.op.is<ops::Linear>()) return Support::no("takes Linear alone");
        if (!cpu::is_f32_kept(request)) return Support::no("computes in f32 and bf16 alone");
        if (!cpu::has_known_parameters(request)) return Support::no("takes weights that are known before the run");
        const Dims numbers{rows(request), request.inputs[1].sizes[0], request.inputs[1].sizes[1]};
        return within_limits(numbers) ? Support{} : Support::no("takes sizes below 2^28 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        std::unique_ptr<PreparedKernel> kernel;
        const KernelRequest kept = with_operand_kept(request);
        attempt(refusal, [&] { kernel = build(kept, weights, refusal); });
        return kernel;
    }

   private:
    static std::int64_t rows(const KernelRequest& request) {
        const Sizes& sizes = request.inputs[0].sizes;
        return cpu::product(std::span(sizes).first(sizes.size() - 1));
    }
    using Sizes = cpu::Sizes;

    static std::unique_ptr<PreparedKernel> build(const KernelRequest& request, WeightProvider& weights,
                                                 std::string& refusal) {
        const Dims shape(request.inputs[1].sizes.begin(), request.inputs[1].sizes.end());
        const DType product = product_dtype(request);
        const MemoryDesc source = describe_plain({rows(request), shape[1]}, product);
        const MemoryDesc target = describe_plain({rows(request), shape[0]}, request.outputs[0].dtype);
        const bool has_bias = request.node.parameter_names.size() > 1;
        const MemoryDesc bias = has_bias ? describe_plain({shape[0]}) : MemoryDesc();
        const int channel_dim = static_cast<int>(request.outputs[0].sizes.size()) - 1;
        const FusedEpilogue fused = fuse_epilogue(request, {target.get_dims(), channel_dim, target});
        const PrimitiveDesc desc =
            describe_primitive(source, describe_any(shape, product), bias, target, fused.attributes);
        PrimitiveBuilder builder(request, weights);
        builder.input(DNNL_ARG_SRC, source, 0, Layout::plain().kept(kept_in(request.options.dtype)));
        builder.weight(DNNL_ARG_WEIGHTS, describe_plain(shape), desc.weights_desc(), 1);
        if (has_bias) builder.weight(DNNL_ARG_BIAS, bias, bias, 2);
        builder.output(DNNL_ARG_DST, target, Layout::plain());
        return builder.finish(desc, fused,
                              {fused.loses_nan,
                               [source, desc, bias, target] {
                                   return describe_primitive(source, desc.weights_desc(), bias, target,
                                                             plain_attributes());
                               }},
                              refusal);
    }
};

}  // namespace
}  // namespace seq::onednn

namespace seq::cpu {

const Kernel& linear_kernel() {
    static const onednn::Linear kernel;
    return kernel;
}

}  // namespace seq::cpu
