#include "graph/rewrite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "graph/infer.hpp"

namespace seq::rewrite {

NodeSpec spec_of(const Node& node) {
    NodeSpec spec;
    spec.op = node.op;
    spec.inputs.assign(node.data().begin(), node.data().end());
    spec.parameters.assign(node.parameters().begin(), node.parameters().end());
    for (const PostOp& post : node.epilogue) {
        const auto operands = node.operands(post);
        spec.epilogue.push_back({post.op, {operands.begin(), operands.end()}, post.position});
    }
    spec.name = node.outputs.front()->name;
    spec.origins = node.origins;
    return spec;
}

NodeSpec take_spec(Node& node) {
    std::vector<LayerId> origins = std::exchange(node.origins, {});
    NodeSpec spec = spec_of(node);
    spec.origins = std::move(origins);
    return spec;
}

void add_origins(std::vector<LayerId>& to, std::vector<LayerId> from) {
    if (to.size() < from.size()) {
        const std::size_t first = from.size();
        from.insert(from.end(), to.begin(), to.end());
        if (!to.empty()) std::swap(from.front(), from[first]);
        to.swap(from);
    } else {
        to.insert(to.end(), from.begin(), from.end());
    }
}

Node* replace_node(Graph& graph, Node* old, NodeSpec spec) {
    Node* node = graph.add(std::move(spec), nullptr, old);
    for (std::size_t i = 0; i < old->outputs.size(); ++i) {
        graph.replace(old->outputs[i], node->outputs[i]);
        node->outputs[i]->name = old->outputs[i]->name;
    }
    graph.erase(old);
    return node;
}

void bypass(Graph& graph, Node* node, Value* value) {
    graph.replace(node->output(), value);
    if (value->producer != nullptr) {
        add_origins(value->producer->origins, std::move(node->origins));
        if (value->name.empty()) value->name = node->output()->name;
    }
    graph.erase(node);
}

Node* sole_producer(const Graph& graph, const Value* value) {
    Node* producer = value->producer;
    return producer != nullptr && producer->outputs.size() == 1 && graph.has_single_use(value) ? producer : nullptr;
}

bool gives(const Graph& graph, const Op& op, const std::vector<const Value*>& inputs, const TensorType& type) {
    std::vector<TensorType> types;
    types.reserve(inputs.size());
    for (const Value* input : inputs) types.push_back(input->type);
    const Inference inference = infer(op, types, {graph.ranges, graph.bounded_symbols});
    return !type.error && !inference.has_error() && inference.outputs.front() == type;
}

void erase_dead(Graph& graph, Node* node) {
    std::vector<Node*> stack{node};
    while (!stack.empty()) {
        node = stack.back();
        stack.pop_back();
        const bool used = std::any_of(node->outputs.begin(), node->outputs.end(), [&](const Value* output) {
            return !output->uses.empty() || graph.is_output(output);
        });
        if (used || node->outputs.empty()) continue;
        for (const Value* input : node->inputs) {
            if (input->producer != nullptr) stack.push_back(input->producer);
        }
        graph.erase(node);
    }
}

namespace {

void put_in_order(std::vector<LayerId>& origins) {
    if (origins.size() < 2) return;
    std::sort(origins.begin() + 1, origins.end());
    origins.erase(std::unique(origins.begin() + 1, origins.end()), origins.end());
    origins.erase(std::remove(origins.begin() + 1, origins.end(), origins.front()), origins.end());
}

std::string key_of(const GraphCondition& condition) {
    return fmt::format("{}@{}", condition.condition.to_string(DimStyle::ascii), condition.layer);
}

}  // namespace

void clean_up(Graph& graph) {
    for (Node* node = graph.first_node(); node != nullptr; node = node->next) put_in_order(node->origins);
    std::unordered_set<std::string> seen;
    std::erase_if(graph.conditions,
                  [&](const GraphCondition& condition) { return !seen.insert(key_of(condition)).second; });
}

std::string layer_path(const Graph& graph, const Node& node) {
    if (node.origins.empty() || node.origins.front() >= graph.layers.size()) return node.op.name();
    return graph.layers[node.origins.front()].path;
}

std::string describe(const Graph& graph, const Node& node) {
    return fmt::format("{} `{}`", node.op.name(), layer_path(graph, node));
}

Value* splat(Graph& graph, DType dtype, std::vector<std::int64_t> sizes, double value) {
    auto tensor = std::make_shared<Tensor>(dtype, sizes);
    if (dtype == DType::f32) {
        std::ranges::fill(tensor->data<float>(), static_cast<float>(value));
    } else if (dtype == DType::f64) {
        std::ranges::fill(tensor->data<double>(), value);
    } else {
        throw std::logic_error("a splat is f32 or f64");
    }
    return graph.add_constant(std::move(tensor));
}

WeightOnly::WeightOnly(const Graph& graph) {
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) add(node);
}

bool WeightOnly::all(std::span<Value* const> values) const {
    return std::all_of(values.begin(), values.end(), [this](const Value* value) { return (*this)(value); });
}

void WeightOnly::add(const Node* node) {
    if (!node->inputs.empty() && all(node->inputs)) nodes_.insert(node);
}

}  // namespace seq::rewrite
