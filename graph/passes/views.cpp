#include "graph/passes/views.hpp"

#include "graph/ops/reshape.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {

bool is_view(const Node* node) {
    return node != nullptr && node->op.traits().view && node->inputs.size() == 1 && node->outputs.size() == 1 &&
           node->epilogue.empty();
}

std::optional<Op> reshape_to(const Graph& graph, const Value* from, const TensorType& to) {
    const Shape& source = from->type.shape;
    std::vector<std::int64_t> sizes;
    bool open = false;
    for (int i = 0; i < to.shape.rank(); ++i) {
        const Dim& dim = to.shape[i];
        if (dim.is_constant() && dim.value() > 0) {
            sizes.push_back(dim.value());
        } else if (!dim.is_constant() && i < source.rank() && source[i] == dim) {
            sizes.push_back(0);
        } else if (!open && !dim.is_constant()) {
            sizes.push_back(-1);
            open = true;
        } else {
            return std::nullopt;
        }
    }
    if (sizes.empty()) return std::nullopt;
    Op op = ops::Reshape{.shape = IntList(std::move(sizes))};
    return rewrite::gives(graph, op, {from}, to) ? std::optional(std::move(op)) : std::nullopt;
}

bool may_bypass(const Graph& graph, const Node& node, const Value* value) {
    return !graph.is_output(node.outputs.front()) || (value->kind == ValueKind::result && !graph.is_output(value));
}

}  // namespace seq::passes
