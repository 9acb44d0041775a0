#include "engine/optimize.hpp"

#include <algorithm>

#include "kernels/reference/reference.hpp"

namespace seq {
namespace {

bool depends_on_weights_alone(const Node& node) {
    return std::all_of(node.inputs.begin(), node.inputs.end(), [](const Value* input) { return input->is_constant_like(); });
}

std::string folded_name(const Graph& graph, const Node& node, std::size_t count) {
    const std::string owner = node.origins.empty() ? std::string("graph") : graph.layers[node.origins.front()].path;
    return owner + ".folded#" + std::to_string(count);
}

/// Evaluates nodes such as the scaled weights that batch-norm folding makes, so that no run computes them.
void fold_weights(Graph& graph, WeightStore& weights) {
    const Evaluator evaluate = reference::evaluator();
    std::size_t folded = 0;
    for (Node* node = graph.first_node(); node != nullptr;) {
        Node* const next = node->next;
        if (depends_on_weights_alone(*node)) {
            std::vector<std::shared_ptr<const Tensor>> tensors;
            std::vector<TensorView> views;
            for (const Value* input : node->inputs) views.push_back(tensors.emplace_back(weights.keep(*input))->view());
            auto results = evaluate(*node, views);
            if (results) {
                for (std::size_t i = 0; i < results->size(); ++i) {
                    auto data = std::make_shared<const Tensor>(std::move((*results)[i]));
                    graph.replace(node->outputs[i], graph.add_constant(std::move(data), folded_name(graph, *node, folded++)));
                }
                graph.erase(node);
            }
        }
        node = next;
    }
    graph.erase_unused_values();
}

}  // namespace

Graph optimize(const Graph& graph, const CompileOptions& options, WeightStore& weights) {
    Graph optimized = graph.with_float_inputs(DType::f32);
    (void)options;
    fold_weights(optimized, weights);
    return optimized;
}

}  // namespace seq
