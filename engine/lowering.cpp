#include "engine/lowering.hpp"

#include <algorithm>

#include "engine/selection/unit.hpp"
#include "graph/ops/conv_transpose.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/matmul.hpp"

namespace seq {
namespace {

template <template <int> class T>
bool is_any(const Op& op) {
    return op.is<T<1>>() || op.is<T<2>>() || op.is<T<3>>();
}

KernelRequest all_lowered(const Node& node, const ComputeOptions& options) {
    KernelRequest request{node, {}, {}, options};
    const auto placed = [&](const Value& value) {
        return place(value, Layout::plain().kept(value.is_constant_like() ? Kept::own : kept_in(options.dtype)));
    };
    for (const Value* input : node.inputs) request.inputs.push_back(placed(*input));
    for (const Value* output : node.outputs) request.outputs.push_back(placed(*output));
    return request;
}

}  // namespace

bool multiplies_matrices(const Op& op) {
    return is_any<ops::Conv>(op) || is_any<ops::ConvTranspose>(op) || op.is<ops::Linear>() || op.is<ops::MatMul>();
}

OfferedRequest::OfferedRequest(const Kernel& kernel, const KernelRequest& offered, const Backend& backend)
    : request(kernel.takes_lowered() ? offered : offered.in_f32()) {
    const bool lowered = kept_in(offered.options.dtype) != Kept::own && multiplies_matrices(offered.node.op);
    if (lowered && !kernel.takes_lowered() && &kernel != backend.kernels->back()) {
        support = Support::no("multiplies in f32 alone");
        return;
    }
    support = kernel.supports(request);
}

bool KeptDtypes::takes_lowered(const Node& node) {
    const auto [found, is_new] = takers_.try_emplace(&node, false);
    if (!is_new) return found->second;
    const KernelRequest request = all_lowered(node, options_);
    const auto& kernels = *backend_.kernels;
    return found->second = std::any_of(kernels.begin(), kernels.end(), [&](const Kernel* kernel) {
               return kernel->takes_lowered() && kernel->supports(request);
           });
}

bool KeptDtypes::keeps_lowered(const Value& value) {
    if (kept_in(options_.dtype) == Kept::own || value.type.dtype != DType::f32 || graph_.is_output(&value))
        return false;
    return std::any_of(value.uses.begin(), value.uses.end(), [&](const Use& use) {
        return is_view(*use.node) ? keeps_lowered(*use.node->output()) : takes_lowered(*use.node);
    });
}

}  // namespace seq
