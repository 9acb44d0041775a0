#include "kernels/cpu/fused_head.hpp"

namespace seq::cpu {
namespace {

bool is_residual(const KernelRequest& request, const PostOp& post) {
    return binary_call(post.op) == Binary::add && post.operand_count == 1 && !request.is_weight(post.first_operand) &&
           request.inputs[static_cast<std::size_t>(post.first_operand)].sizes == request.outputs[0].sizes;
}

bool fuse_function(FusedHead& head, const UnaryCall& call, bool (*takes)(Unary)) {
    if (const auto clamp = clamp_of(call)) {
        head.low = clamp->low;
        head.high = clamp->high;
    } else if (call.function != Unary::copy && takes(call.function)) {
        head.function = call;
    } else {
        return false;
    }
    return true;
}

}  // namespace

FusedHead fuse_head(const KernelRequest& request, bool (*takes)(Unary function)) {
    FusedHead head;
    for (const PostOp& post : request.node.epilogue) {
        const auto unary = unary_call(post.op);
        if (head.count == 0 && is_residual(request, post)) {
            head.residual = post.first_operand;
        } else if (unary) {
            if (fuse_function(head, *unary, takes)) ++head.count;
            break;
        } else {
            break;
        }
        ++head.count;
    }
    return head;
}

FusedHead fuse_head_without_residual(const KernelRequest& request, bool (*takes)(Unary function)) {
    const FusedHead head = fuse_head(request, takes);
    return head.residual >= 0 ? FusedHead() : head;
}

SumEpilogue sum_epilogue(const FusedHead& head, Isa isa) {
    const auto& parameters = head.function.parameters;
    return {head.low, head.high, find_row_function(head.function.function, isa), {parameters[0], parameters[1]}};
}

}  // namespace seq::cpu
