#include <unordered_map>

#include "graph/ops/arithmetic.hpp"
#include "graph/passes/fusion.hpp"
#include "graph/passes/passes.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {
namespace {

bool sums_products(const Op& op) {
    const std::string& name = op.name();
    return name.starts_with("Conv") || name == "Linear" || name == "MatMul";
}

class Fuser {
   public:
    Fuser(Graph& graph, PassContext& context) : graph_(graph), context_(context) {
        for (const Node* node = graph.first_node(); node != nullptr; node = node->next)
            position_[node] = position_.size();
    }

    bool run() {
        bool changed = false;
        Node* next = nullptr;
        for (Node* node = graph_.first_node(); node != nullptr; node = next) {
            next = node->next;
            const int summand = host_summand(*node);
            if (summand < 0) continue;
            Node* host = node->input(summand)->producer;
            Value* other = node->input(1 - summand);
            const auto what = [&] {
                return "fuses " + rewrite::describe(graph_, *node) + " into " + rewrite::describe(graph_, *host);
            };
            if (!context_.begin_rewrite(what)) return changed;
            changed = true;
            const std::size_t position = position_[node];
            position_[fuse(graph_, host, node, {{node->op, {other}, summand}})] = position;
        }
        return changed;
    }

   private:
    /// Which summand's producer takes the other one; -1 where none does. Of two the later one, which then stays where
    /// it is.
    int host_summand(const Node& node) const {
        const auto form = ops::arithmetic_form(node.op);
        if (!form || form->kind != ops::Arithmetic::add || form->other || node.data_count != 2) return -1;
        const TensorType& type = node.output()->type;
        if (!(node.input(0)->type == type) || !(node.input(1)->type == type)) return -1;
        const Node* first = host_of(node.input(0));
        const Node* second = host_of(node.input(1));
        if (first == nullptr || second == nullptr) return first != nullptr ? 0 : second != nullptr ? 1 : -1;
        return position_.at(second) > position_.at(first) ? 1 : 0;
    }

    const Node* host_of(const Value* value) const {
        const Node* producer = rewrite::sole_producer(graph_, value);
        return producer != nullptr && sums_products(producer->op) && takes_epilogue(*producer) ? producer : nullptr;
    }

    Graph& graph_;
    PassContext& context_;
    std::unordered_map<const Node*, std::size_t> position_;
};

}  // namespace

/// Puts the addition of two values of one shape into the epilogue of the convolution, Linear or MatMul that computes
/// one of them, where nothing else uses that one. The node moves to where the sum was, so that the other one is there.
bool residual_add_fusion(Graph& graph, PassContext& context) { return Fuser(graph, context).run(); }

}  // namespace seq::passes
