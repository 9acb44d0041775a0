#include "graph/passes/passes.hpp"
#include "graph/passes/views.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {
namespace {

/// What gives the node's result from `source`: the node's own op where it does, or a Reshape.
std::optional<Op> view_of(const Graph& graph, const Node& node, const Value* source) {
    const TensorType& type = node.output()->type;
    if (rewrite::gives(graph, node.op, {source}, type)) return node.op;
    return reshape_to(graph, source, type);
}

}  // namespace

/// Lets a Flatten, Reshape, Unflatten, Squeeze or Unsqueeze whose input is one of these read that one's input.
bool reshape_merging(Graph& graph, PassContext& context) {
    bool changed = false;
    Node* next = nullptr;
    for (Node* node = graph.first_node(); node != nullptr; node = next) {
        next = node->next;
        if (!is_view(node) || !is_view(node->input()->producer)) continue;
        Node* first = node->input()->producer;
        Value* source = first->input();
        const bool undone = source->type == node->output()->type && may_bypass(graph, *node, source);
        const auto op = undone ? std::nullopt : view_of(graph, *node, source);
        if (!undone && !op) continue;
        const auto what = [&] {
            return "merges " + rewrite::describe(graph, *first) + " and " + rewrite::describe(graph, *node);
        };
        if (!context.begin_rewrite(what)) return changed;
        changed = true;
        if (graph.has_single_use(first->output())) rewrite::add_origins(node->origins, std::move(first->origins));
        if (undone) {
            rewrite::bypass(graph, node, source);
        } else {
            NodeSpec spec = rewrite::take_spec(*node);
            spec.op = *op;
            spec.inputs = {source};
            rewrite::replace_node(graph, node, std::move(spec));
        }
        rewrite::erase_dead(graph, first);
    }
    return changed;
}

}  // namespace seq::passes
