#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/permute.hpp"
#include "graph/ops/pool.hpp"
#include "graph/passes/fusion.hpp"
#include "graph/passes/passes.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {
namespace {

/// How far an activation is carried towards the node that takes it.
constexpr std::size_t longest_way = 8;

bool is_max_pool(const Op& op) {
    return op.is<ops::MaxPool1d>() || op.is<ops::MaxPool2d>() || op.is<ops::MaxPool3d>() ||
           op.is<ops::AdaptiveMaxPool1d>() || op.is<ops::AdaptiveMaxPool2d>() || op.is<ops::AdaptiveMaxPool3d>();
}

/// Whether `activation` after `node` gives what it gives before it: node moves elements, or takes the largest of some.
bool commutes(const Node& node, const Op& activation) {
    if (node.data_count != 1 || node.inputs.size() != 1 || node.outputs.size() != 1 || !node.epilogue.empty())
        return false;
    if (is_max_pool(node.op)) return is_monotone(activation) && !ops::windows_may_miss(node.op);
    return node.op.traits().view || node.op.is<ops::Permute>() || node.op.is<ops::Transpose>();
}

/// A node that takes the activation, and those between it and the activation, last first.
struct Way {
    Node* host = nullptr;
    std::vector<Node*> between;
};

/// The farthest host that the activation can be carried back to.
Way find_host(const Graph& graph, const Node& activation) {
    Way farthest;
    std::vector<Node*> between;
    // The channels that PReLU's weights belong to are where they are.
    const bool may_pass = activation.inputs.size() == 1 && activation.epilogue.empty();
    Node* node = rewrite::sole_producer(graph, activation.input());
    while (node != nullptr && between.size() < longest_way) {
        if (takes_epilogue(*node)) farthest = {node, between};
        if (!may_pass || !commutes(*node, activation.op)) break;
        between.push_back(node);
        node = rewrite::sole_producer(graph, node->input());
    }
    return farthest;
}

PostOpSpec post_of(const Node& activation) {
    return {activation.op, {activation.parameters().begin(), activation.parameters().end()}, 0};
}

/// The host takes the activation, and what stood between them moves its result on.
void fuse_across(Graph& graph, const Way& way, Node* activation) {
    NodeSpec spec = rewrite::take_spec(*way.host);
    spec.epilogue.push_back(post_of(*activation));
    rewrite::add_origins(spec.origins, std::move(activation->origins));
    Value* result = way.between.front()->output();
    Node* fused = rewrite::replace_node(graph, way.host, std::move(spec));
    fused->output()->name.clear();
    for (const Node* moved : way.between) moved->output()->name.clear();
    graph.replace(activation->output(), result);
    result->name = activation->output()->name;
    graph.erase(activation);
}

}  // namespace

/// Puts an activation into the epilogue of the node that computes its input, where nothing else uses that value; also
/// across views and permutations, and, where it never falls, across a max pool.
bool activation_fusion(Graph& graph, PassContext& context) {
    bool changed = false;
    Node* next = nullptr;
    for (Node* node = graph.first_node(); node != nullptr; node = next) {
        next = node->next;
        if (node->data_count != 1 || !is_activation(node->op)) continue;
        const Way way = find_host(graph, *node);
        if (way.host == nullptr) continue;
        const auto what = [&] {
            return "fuses " + rewrite::describe(graph, *node) + " into " + rewrite::describe(graph, *way.host);
        };
        if (!context.begin_rewrite(what)) return changed;
        changed = true;
        if (way.between.empty()) {
            fuse(graph, way.host, node, {post_of(*node)});
        } else {
            fuse_across(graph, way, node);
        }
    }
    return changed;
}

}  // namespace seq::passes
