#include "kernels/cpu/group_request.hpp"

#include <algorithm>

namespace seq::cpu {

Placed plain(const Value& value) { return {value.type.dtype, *value.type.shape.sizes(), Layout::plain()}; }

KernelRequest request_of(const Node& node, const ComputeOptions& options) {
    KernelRequest request{node, {}, {}, options};
    for (const Value* input : node.inputs) request.inputs.push_back(plain(*input));
    for (const Value* output : node.outputs) request.outputs.push_back(plain(*output));
    return request;
}

const Node* only_user(const Graph& graph, const Node& node) {
    if (node.outputs.size() != 1 || !graph.has_single_use(node.output())) return nullptr;
    const Use& use = node.output()->uses.front();
    return use.index == 0 ? use.node : nullptr;
}

int position_of(const GroupRequest& request, const Value& value) {
    const auto found = std::find(request.values.begin(), request.values.end(), &value);
    return found == request.values.end() ? -1 : static_cast<int>(found - request.values.begin());
}

}  // namespace seq::cpu
