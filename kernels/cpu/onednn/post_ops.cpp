#include "kernels/cpu/onednn/post_ops.hpp"

#include <algorithm>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "kernels/cpu/elementwise/functions.hpp"
#include "kernels/cpu/own_kernel.hpp"

namespace seq::onednn {
namespace {

using Algorithm = dnnl::algorithm;

struct Eltwise {
    Algorithm algorithm;
    float alpha = 0;
    float beta = 0;
};

/// oneDNN's function for ours; its own parameters are alpha and beta. Its ELU, Mish and Softplus are right to 1e-7 of
/// 1, not of what comes out, so that small results would be wrong in most of their digits: those are left to our own
/// code.
std::optional<Eltwise> eltwise_of(const UnaryCall& call) {
    const auto [a, b] = call.parameters;
    switch (call.function) {
        case Unary::relu: return Eltwise{Algorithm::eltwise_relu};
        case Unary::leaky_relu: return Eltwise{Algorithm::eltwise_relu, a};
        case Unary::gelu: return Eltwise{Algorithm::eltwise_gelu_erf};
        case Unary::gelu_tanh: return Eltwise{Algorithm::eltwise_gelu_tanh};
        case Unary::silu: return Eltwise{Algorithm::eltwise_swish, 1};
        case Unary::sigmoid: return Eltwise{Algorithm::eltwise_logistic};
        case Unary::tanh: return Eltwise{Algorithm::eltwise_tanh};
        case Unary::hardsigmoid: return Eltwise{Algorithm::eltwise_hardsigmoid, 1.0f / 6.0f, 0.5f};
        case Unary::hardswish: return Eltwise{Algorithm::eltwise_hardswish, 1.0f / 6.0f, 0.5f};
        case Unary::hardtanh:
            if (a > b) return std::nullopt;
            return Eltwise{Algorithm::eltwise_clip, a, b};
        case Unary::add: return Eltwise{Algorithm::eltwise_linear, 1, a};
        case Unary::mul: return Eltwise{Algorithm::eltwise_linear, a, 0};
        case Unary::div: return Eltwise{Algorithm::eltwise_linear, 1 / a, 0};
        default: return std::nullopt;
    }
}

std::optional<Algorithm> algorithm_of(Binary function) {
    switch (function) {
        case Binary::add: return Algorithm::binary_add;
        case Binary::sub: return Algorithm::binary_sub;
        case Binary::mul: return Algorithm::binary_mul;
        case Binary::div: return Algorithm::binary_div;
        case Binary::prelu: break;
    }
    return std::nullopt;
}

class Fuser {
   public:
    Fuser(const KernelRequest& request, const FusionTarget& target) : request_(request), target_(target) {}

    FusedEpilogue run() {
        for (const PostOp& post : request_.node.epilogue) {
            if (!fuse(post)) break;
            ++fused_.count;
        }
        fused_.attributes = plain_attributes();
        fused_.attributes.set_post_ops(post_ops_);
        return std::move(fused_);
    }

   private:
    bool fuse(const PostOp& post) {
        if (const auto unary = unary_call(post.op)) {
            const auto eltwise = eltwise_of(*unary);
            if (unary->function == Unary::copy) return true;
            if (!eltwise) return false;
            append(*eltwise);
            return true;
        }
        const auto binary = binary_call(post.op);
        const auto algorithm = binary ? algorithm_of(*binary) : std::nullopt;
        if (!algorithm || post.operand_count != 1) return false;
        const bool reversed = post.position == 1;
        if (reversed && *binary == Binary::div) return false;
        const auto operand = operand_of(post.first_operand);
        if (!operand) return false;
        const bool negate = reversed && *binary == Binary::sub;
        if (negate) append({Algorithm::eltwise_linear, -1, 0});
        fused_.operands.push_back(*operand);
        fused_.operands.back().argument = DNNL_ARG_ATTR_MULTIPLE_POST_OP(post_ops_.len()) | DNNL_ARG_SRC_1;
        post_ops_.append_binary(negate ? Algorithm::binary_add : *algorithm, operand->desc);
        return true;
    }

    void append(const Eltwise& eltwise) {
        post_ops_.append_eltwise(eltwise.algorithm, eltwise.alpha, eltwise.beta);
        fused_.loses_nan = fused_.loses_nan || eltwise.algorithm != Algorithm::eltwise_linear;
    }

    /// Of the result's shape, one number for each channel, or one number; other broadcasts are slow in oneDNN.
    std::optional<FusedEpilogue::Operand> operand_of(int input) const {
        const Placed& placed = request_.inputs[static_cast<std::size_t>(input)];
        const Placed& output = request_.outputs[0];
        if (!cpu::is_f32_kept(placed) || placed.sizes.size() > output.sizes.size()) return std::nullopt;
        FusedEpilogue::Operand operand;
        operand.input = input;
        if (placed.sizes == output.sizes) {
            operand.whole = true;
            operand.desc = target_.desc;
            return operand;
        }
        Dims dims(target_.dims.size(), 1);
        const std::int64_t count = cpu::product(placed.sizes);
        const auto rank = static_cast<int>(output.sizes.size());
        const int at = target_.channel_dim - (rank - static_cast<int>(placed.sizes.size()));
        if (count != 1) {
            if (at < 0 || placed.sizes[static_cast<std::size_t>(at)] != count || count != target_.dims[1])
                return std::nullopt;
            dims[1] = count;
        }
        operand.desc = describe_plain(dims);
        return operand;
    }

    const KernelRequest& request_;
    const FusionTarget& target_;
    dnnl::post_ops post_ops_;
    FusedEpilogue fused_;
};

}  // namespace

dnnl::primitive_attr plain_attributes() {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
}

FusedEpilogue fuse_epilogue(const KernelRequest& request, const FusionTarget& target) {
    return Fuser(request, target).run();
}

FusedEpilogue no_fusion() {
    FusedEpilogue none;
    none.attributes = plain_attributes();
    return none;
}

}  // namespace seq::onednn
