#include "graph/ops/matmul.hpp"

#include <algorithm>

#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/onednn/primitive.hpp"
#include "kernels/cpu/onednn/problem.hpp"
#include "kernels/cpu/own_kernel.hpp"

namespace seq::onednn {
namespace {

using PrimitiveDesc = dnnl::matmul::primitive_desc;

/// The operands as stacks of matrices of one rank: a vector on the left is a row, one on the right a column.
struct Matrices {
    Dims left, right, result;
};

Matrices matrices_of(const KernelRequest& request) {
    const auto dims = [](const Placed& placed) { return Dims(placed.sizes.begin(), placed.sizes.end()); };
    Matrices m{dims(request.inputs[0]), dims(request.inputs[1]), {}};
    if (m.left.size() == 1) m.left.insert(m.left.begin(), 1);
    if (m.right.size() == 1) m.right.push_back(1);
    const std::size_t rank = std::max(m.left.size(), m.right.size());
    m.left.insert(m.left.begin(), rank - m.left.size(), 1);
    m.right.insert(m.right.begin(), rank - m.right.size(), 1);
    for (std::size_t i = 0; i + 2 < rank; ++i) m.result.push_back(std::max(m.left[i], m.right[i]));
    m.result.insert(m.result.end(), {m.left[rank - 2], m.right[rank - 1]});
    return m;
}

std::unique_ptr<PreparedKernel> build(const KernelRequest& request, WeightProvider& provider, std::string& refusal) {
    const Matrices m = matrices_of(request);
    const DType product = product_dtype(request);
    const Layout operand = Layout::plain().kept(kept_in(request.options.dtype));
    const MemoryDesc left = describe_plain(m.left, product), right = describe_plain(m.right, product),
                     result = describe_plain(m.result, request.outputs[0].dtype);
    const bool packs = request.is_weight(1) && m.left.size() == 2;
    FusedEpilogue fused{plain_attributes(), {}, 0, false};
    // oneDNN counts channels from dimension 1, which is what a result's last dimension is for two dimensions only.
    if (m.result.size() == 2 && request.outputs[0].sizes.size() == 2)
        fused = fuse_epilogue(request, {m.result, 1, result});
    const PrimitiveDesc desc(engine(), left, packs ? describe_any(m.right, product) : right, result, fused.attributes);
    PrimitiveBuilder builder(request, provider);
    if (request.is_weight(0)) {
        builder.weight(DNNL_ARG_SRC, describe_plain(m.left), left, 0);
    } else {
        builder.input(DNNL_ARG_SRC, left, 0, operand);
    }
    if (request.is_weight(1)) {
        builder.weight(DNNL_ARG_WEIGHTS, describe_plain(m.right), desc.weights_desc(), 1);
    } else {
        builder.input(DNNL_ARG_WEIGHTS, right, 1, operand);
    }
    builder.output(DNNL_ARG_DST, result, Layout::plain());
    return builder.finish(desc, fused,
                          {fused.loses_nan,
                           [left, desc, result] {
                               return PrimitiveDesc(engine(), left, desc.weights_desc(), result, plain_attributes());
                           }},
                          refusal);
}

class MatMul final : public Kernel {
   public:
    std::string_view name() const override { return "onednn.matmul"; }
    bool takes_lowered() const override { return true; }

    Support supports(const KernelRequest& request) const override {
        if (!request.node.op.is<ops::MatMul>()) return Support::no("takes MatMul alone");
        if (!cpu::is_f32_kept(request)) return Support::no("computes in f32 and bf16 alone");
        const Matrices m = matrices_of(request);
        const bool small = within_limits(m.left) && within_limits(m.right) && within_limits(m.result);
        return small ? Support{} : Support::no("takes sizes below 2^28 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        std::unique_ptr<PreparedKernel> kernel;
        attempt(refusal, [&] { kernel = build(request, weights, refusal); });
        return kernel;
    }
};

}  // namespace
}  // namespace seq::onednn

namespace seq::cpu {

const Kernel& matmul_kernel() {
    static const onednn::MatMul kernel;
    return kernel;
}

}  // namespace seq::cpu
