#include <numeric>
#include <utility>

#include "graph/ops/permute.hpp"
#include "graph/passes/passes.hpp"
#include "graph/passes/views.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {
namespace {

using Permutation = std::vector<int>;

/// Two permutations meet across so many activations, so that a pass over a long chain takes linear time.
constexpr std::size_t most_between = 16;

/// Output dimension i is input dimension [i]; nullopt where the node is no Permute or Transpose.
std::optional<Permutation> permutation_of(const Node* node) {
    if (node == nullptr || node->inputs.size() != 1 || !node->epilogue.empty() || node->input()->type.error)
        return std::nullopt;
    const int rank = node->input()->type.shape.rank();
    const auto order = ops::permutation_of(node->op, rank);
    return order ? std::optional(Permutation(order->begin(), order->begin() + rank)) : std::nullopt;
}

Permutation compose(const Permutation& first, const Permutation& second) {
    Permutation result;
    for (const int dim : second) result.push_back(first[static_cast<std::size_t>(dim)]);
    return result;
}

bool is_identity(const Permutation& permutation) {
    Permutation identity(permutation.size());
    std::iota(identity.begin(), identity.end(), 0);
    return permutation == identity;
}

/// Dimensions of size 1 aside, they keep their order, and so do the elements.
bool keeps_order(const Permutation& permutation, const Shape& shape) {
    int last = -1;
    for (const int dim : permutation) {
        if (shape[dim] == Dim(1)) continue;
        if (dim < last) return false;
        last = dim;
    }
    return true;
}

/// A function of one number without parameters of its own.
bool is_pointwise(const Node* node) {
    return node != nullptr && node->op.traits().elementwise && node->inputs.size() == 1 && node->outputs.size() == 1 &&
           node->epilogue.empty();
}

class Canceller {
   public:
    Canceller(Graph& graph, PassContext& context) : graph_(graph), context_(context) {}

    bool run() {
        Node* next = nullptr;
        for (Node* node = graph_.first_node(); node != nullptr && !stopped_; node = next) {
            next = node->next;
            if (const auto permutation = permutation_of(node)) visit(node, *permutation);
        }
        return changed_;
    }

   private:
    bool begin(const std::string& what) {
        stopped_ = !context_.begin_rewrite([&] { return what; });
        changed_ = changed_ || !stopped_;
        return !stopped_;
    }

    void visit(Node* node, const Permutation& permutation) {
        std::vector<Node*> between;
        Node* first = node->input()->producer;
        while (between.size() < most_between && is_pointwise(first) && !permutation_of(first) &&
               graph_.has_single_use(first->output())) {
            between.push_back(first);
            first = first->input()->producer;
        }
        if (const auto earlier = permutation_of(first)) {
            merge(first, between, node, compose(*earlier, permutation));
        } else if (!is_identity(permutation) && keeps_order(permutation, node->input()->type.shape)) {
            reshape(node);
        }
    }

    /// first, between (last to first), node: those between read what `first` read, and one permutation, or none, is
    /// left after them.
    void merge(Node* first, const std::vector<Node*>& between, Node* node, const Permutation& permutation) {
        Value* source = first->input();
        const bool undone = is_identity(permutation) && (!between.empty() || may_bypass(graph_, *node, source));
        if (!begin("merges " + rewrite::describe(graph_, *first) + " and " + rewrite::describe(graph_, *node))) return;
        if (graph_.has_single_use(first->output())) rewrite::add_origins(node->origins, std::move(first->origins));
        Value* value = rebuild(between, source, node);
        if (undone) {
            rewrite::bypass(graph_, node, value);
        } else {
            NodeSpec spec = rewrite::take_spec(*node);
            spec.inputs = {value};
            spec.op = ops::Permute{.dims = IntList(std::vector<std::int64_t>(permutation.begin(), permutation.end()))};
            rewrite::replace_node(graph_, node, std::move(spec));
        }
        rewrite::erase_dead(graph_, between.empty() ? first : between.front());
    }

    /// Without names: the elements are no longer where the user's layers had them.
    Value* rebuild(const std::vector<Node*>& between, Value* value, Node* before) {
        for (auto node = between.rbegin(); node != between.rend(); ++node) {
            NodeSpec spec = rewrite::take_spec(**node);
            spec.inputs = {value};
            spec.name.clear();
            value = graph_.add(std::move(spec), nullptr, before)->output();
        }
        return value;
    }

    void reshape(Node* node) {
        const auto op = reshape_to(graph_, node->input(), node->output()->type);
        if (!op || !begin(rewrite::describe(graph_, *node) + " moves no element")) return;
        NodeSpec spec = rewrite::take_spec(*node);
        spec.op = *op;
        rewrite::replace_node(graph_, node, std::move(spec));
    }

    Graph& graph_;
    PassContext& context_;
    bool changed_ = false;
    bool stopped_ = false;
};

}  // namespace

/// Makes one, or none, of a Permute or Transpose and one before it, also where activations stand between them, and a
/// Reshape of one that moves nothing but dimensions of size 1.
bool transpose_cancelling(Graph& graph, PassContext& context) { return Canceller(graph, context).run(); }

}  // namespace seq::passes
