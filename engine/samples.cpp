#include "engine/samples.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "graph/op_table.hpp"

namespace seq {
namespace {

template <class T>
bool is_softmax_along_samples(const Op& op, int rank) {
    const auto* softmax = op.as<T>();
    if (softmax == nullptr) return false;
    const std::int64_t dim = softmax->dim.value_or(ops::implicit_softmax_dim(rank));
    return dim == 0 || dim == -rank;
}

/// Whether the op mixes samples without changing a size, which is what sizes cannot tell.
bool mixes_samples(const Op& op, int rank) {
    if (is_softmax_along_samples<ops::Softmax>(op, rank) || is_softmax_along_samples<ops::Softmin>(op, rank) ||
        is_softmax_along_samples<ops::LogSoftmax>(op, rank))
        return true;
    return op.is<ops::Softmax2d>() && rank == 3;
}

/// A norm that takes its statistics over the whole batch.
bool is_batch_statistics(const Node& node) {
    const bool norm =
        node.op.is<ops::BatchNorm<1>>() || node.op.is<ops::BatchNorm<2>>() || node.op.is<ops::BatchNorm<3>>();
    return norm && node.parameter("running_var") == nullptr;
}

bool is_certain(const Node& node) {
    const int rank = node.input()->type.shape.rank();
    if (!is_builtin(node.op.type()) || mixes_samples(node.op, rank) || is_batch_statistics(node)) return false;
    return std::all_of(node.epilogue.begin(), node.epilogue.end(), [&](const PostOp& post) {
        return is_builtin(post.op.type()) && !mixes_samples(post.op, node.output()->type.shape.rank());
    });
}

std::optional<std::int64_t> first_size(const Value& value) {
    const auto sizes = value.type.shape.sizes();
    return sizes && !sizes->empty() ? std::optional((*sizes)[0]) : std::nullopt;
}

bool differ_in_samples_alone(const Value& a, const Value& b, std::int64_t samples) {
    const auto from = a.type.shape.sizes(), to = b.type.shape.sizes();
    return from && to && from->size() == to->size() && !to->empty() && (*to)[0] == samples &&
           std::equal(from->begin() + 1, from->end(), to->begin() + 1);
}

}  // namespace

std::optional<std::int64_t> independent_samples(const Graph& graph) {
    if (graph.inputs().empty() || graph.node_count() == 0) return std::nullopt;
    const auto samples = first_size(*graph.inputs().front());
    if (!samples || *samples < 1) return std::nullopt;
    for (const Value* input : graph.inputs()) {
        if (first_size(*input) != samples) return std::nullopt;
    }
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        if (!is_certain(*node)) return std::nullopt;
        for (const Value* output : node->outputs) {
            if (first_size(*output) != samples) return std::nullopt;
        }
    }
    const auto is_result = [](const Value* output) { return output->kind == ValueKind::result; };
    const bool all = std::all_of(graph.outputs().begin(), graph.outputs().end(), is_result);
    // Sizes that happen to be equal to the number of samples show when there is one more.
    return all && with_samples(graph, *samples + 1) ? samples : std::nullopt;
}

std::optional<Graph> with_samples(const Graph& graph, std::int64_t samples) {
    std::vector<NodeFault> faults;
    Graph other = graph.with_batch(samples, faults);
    if (has_error(faults) || other.node_count() != graph.node_count()) return std::nullopt;
    const Node* copy = other.first_node();
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next, copy = copy->next) {
        for (std::size_t i = 0; i < node->outputs.size(); ++i) {
            if (!differ_in_samples_alone(*node->outputs[i], *copy->outputs[i], samples)) return std::nullopt;
        }
    }
    return other;
}

std::vector<std::size_t> cuts_of(const Graph& graph) {
    const std::vector<Node*> nodes = graph.nodes();
    std::map<const Node*, std::size_t> positions;
    for (const Node* node : nodes) positions.emplace(node, positions.size());
    std::vector<std::size_t> cuts;
    std::size_t needed = 0;  // the first position at which all but the last value are of no use any more
    for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
        const std::vector<Value*>& outputs = nodes[i]->outputs;
        const bool one = outputs.size() == 1 && outputs[0]->type.dtype == DType::f32 && outputs[0]->output_uses == 0;
        if (one && i >= needed && !nodes[i]->op.traits().view) cuts.push_back(i + 1);
        for (const Value* output : outputs) {
            if (output->output_uses > 0) return cuts;
            for (const Use& use : output->uses) needed = std::max(needed, positions.at(use.node));
        }
    }
    return cuts;
}

Graph head_of(const Graph& graph, std::size_t nodes) {
    Graph head = graph.clone();
    Value* const last = head.nodes()[nodes - 1]->output();
    head.set_outputs({last}, {last->name.empty() ? "head" : last->name});
    while (head.node_count() > nodes) head.erase(head.last_node());
    head.erase_unused_values();
    return head;
}

}  // namespace seq
