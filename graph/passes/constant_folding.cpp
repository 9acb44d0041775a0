#include <algorithm>

#include "graph/checked.hpp"
#include "graph/passes/passes.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {
namespace {

bool has_foldable_size(const TensorType& type, std::int64_t limit) {
    const Dim bytes = type.shape.product() * Dim(size_of(type.dtype));
    return !type.error && type.shape.is_static() && bytes.is_constant() && bytes.value() <= limit;
}

bool is_foldable(const Graph& graph, const Node& node, std::int64_t limit) {
    const bool known =
        !node.inputs.empty() && std::all_of(node.inputs.begin(), node.inputs.end(),
                                            [](const Value* input) { return input->kind == ValueKind::constant; });
    return known && std::all_of(node.outputs.begin(), node.outputs.end(), [&](const Value* output) {
               return !graph.is_output(output) && has_foldable_size(output->type, limit);
           });
}

std::optional<std::vector<Tensor>> evaluate(const Node& node, const Evaluator& evaluator) {
    std::vector<TensorView> inputs;
    for (const Value* input : node.inputs) inputs.push_back(input->data->view());
    return evaluator(node, inputs);
}

}  // namespace

/// Evaluates nodes whose inputs are all constants, where the result is not too large and no output of the graph.
bool constant_folding(Graph& graph, PassContext& context) {
    if (!context.evaluator()) return false;
    bool changed = false;
    Node* next = nullptr;
    for (Node* node = graph.first_node(); node != nullptr; node = next) {
        next = node->next;
        if (!is_foldable(graph, *node, context.folded_bytes_limit)) continue;
        auto results = evaluate(*node, context.evaluator());
        if (!results) continue;
        if (!context.begin_rewrite([&] { return "evaluates " + rewrite::describe(graph, *node); })) return changed;
        for (std::size_t i = 0; i < node->outputs.size(); ++i) {
            Value* output = node->outputs[i];
            graph.replace(output,
                          graph.add_constant(std::make_shared<const Tensor>(std::move((*results)[i])), output->name));
        }
        graph.erase(node);
        changed = true;
    }
    return changed;
}

}  // namespace seq::passes
