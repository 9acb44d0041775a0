#include <algorithm>

#include "graph/passes/passes.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {
namespace {

bool is_dead(const Graph& graph, const Node& node) {
    return std::all_of(node.outputs.begin(), node.outputs.end(),
                       [&](const Value* output) { return output->uses.empty() && !graph.is_output(output); });
}

bool has_unused_weights(const Graph& graph) {
    const auto values = graph.values();
    return std::any_of(values.begin(), values.end(), [&](const Value* value) {
        return value->is_constant_like() && value->uses.empty() && !graph.is_output(value);
    });
}

}  // namespace

/// Takes out nodes none of whose results is used, then parameters and constants that nothing uses.
bool dead_nodes(Graph& graph, PassContext& context) {
    bool changed = false;
    Node* previous = nullptr;
    for (Node* node = graph.last_node(); node != nullptr; node = previous) {
        previous = node->previous;
        if (!is_dead(graph, *node)) continue;
        if (!context.begin_rewrite([&] { return "removes " + rewrite::describe(graph, *node); })) return changed;
        graph.erase(node);
        changed = true;
    }
    if (has_unused_weights(graph) && context.begin_rewrite([] { return std::string("removes unused weights"); })) {
        graph.erase_unused_values();
        changed = true;
    }
    return changed;
}

}  // namespace seq::passes
