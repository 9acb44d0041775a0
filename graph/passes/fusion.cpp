#include "graph/passes/fusion.hpp"

#include <string_view>
#include <unordered_set>

#include "graph/ops/activation.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {
namespace {

using Names = std::unordered_set<std::string_view>;

/// Longer epilogues are left as nodes of their own.
constexpr std::size_t longest_epilogue = 8;

const Names& hosts() {
    static const Names names{
        "Linear",
        "Bilinear",
        "MatMul",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Conv1d",
        "Conv2d",
        "Conv3d",
        "ConvTranspose1d",
        "ConvTranspose2d",
        "ConvTranspose3d",
        "BatchNorm1d",
        "BatchNorm2d",
        "BatchNorm3d",
        "InstanceNorm1d",
        "InstanceNorm2d",
        "InstanceNorm3d",
        "LayerNorm",
        "GroupNorm",
        "RMSNorm",
        "MaxPool1d",
        "MaxPool2d",
        "MaxPool3d",
        "AvgPool1d",
        "AvgPool2d",
        "AvgPool3d",
        "AdaptiveAvgPool1d",
        "AdaptiveAvgPool2d",
        "AdaptiveAvgPool3d",
    };
    return names;
}

/// Those whose kernels are ours: a layer from outside is only known to its own.
const Names& built_in() {
    static const Names names{
#define SEQ_OP(name) #name,
#include "graph/op_list.def"
#undef SEQ_OP
    };
    return names;
}

}  // namespace

bool takes_epilogue(const Node& node) {
    if (node.outputs.size() != 1 || node.epilogue.size() >= longest_epilogue) return false;
    const TensorType& type = node.output()->type;
    return !type.error && is_float(type.dtype) && (hosts().contains(node.op.name()) || is_activation(node.op));
}

bool is_activation(const Op& op) {
    const OpTraits& traits = op.traits();
    const bool of_one_value = op.type().arity.max == 1 && traits.elementwise && !traits.identity_at_inference;
    return (of_one_value && built_in().contains(op.name())) || op.is<ops::PReLU>();
}

bool is_monotone(const Op& op) {
    // 0 · -Inf is NaN, which a larger number does not outdo.
    if (const auto* leaky = op.as<ops::LeakyReLU>()) return leaky->negative_slope > 0;
    return op.is<ops::ReLU>() || op.is<ops::ReLU6>() || op.is<ops::Hardtanh>();
}

Node* fuse(Graph& graph, Node* host, Node* last, std::vector<PostOpSpec> posts) {
    NodeSpec spec = rewrite::take_spec(*host);
    for (PostOpSpec& post : posts) spec.epilogue.push_back(std::move(post));
    for (PostOpSpec& post : rewrite::spec_of(*last).epilogue) spec.epilogue.push_back(std::move(post));
    rewrite::add_origins(spec.origins, std::move(last->origins));
    Node* fused = rewrite::replace_node(graph, last, std::move(spec));
    graph.erase(host);
    return fused;
}

}  // namespace seq::passes
