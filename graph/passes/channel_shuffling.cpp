#include "graph/ops/permute.hpp"
#include "graph/ops/shuffle.hpp"
#include "graph/passes/passes.hpp"
#include "graph/passes/views.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {
namespace {

/// Whether the node swaps dimensions 1 and 2 and nothing else.
bool swaps_groups(const Node* node) {
    if (node == nullptr || node->inputs.size() != 1 || !node->epilogue.empty() || node->input()->type.error)
        return false;
    const int rank = node->input()->type.shape.rank();
    const auto order = rank < 3 ? std::nullopt : ops::permutation_of(node->op, rank);
    if (!order) return false;
    for (int i = 0; i < rank; ++i) {
        const int from = i == 1 ? 2 : i == 2 ? 1 : i;
        if ((*order)[static_cast<std::size_t>(i)] != from) return false;
    }
    return true;
}

/// The groups of [N, C, ...] that [N, groups, C / groups, ...] shows; nullopt where it shows none, or nothing to mix.
std::optional<std::int64_t> groups_of(const Shape& whole, const Shape& in_groups) {
    if (whole.rank() < 3 || in_groups.rank() < 3) return std::nullopt;
    const bool fits = in_groups[0] == whole[0] && in_groups[1] * in_groups[2] == whole[1];
    if (!fits || !in_groups[1].is_constant() || in_groups[1] == Dim(1) || in_groups[2] == Dim(1)) return std::nullopt;
    return in_groups[1].value();
}

/// Three nodes that do what one ChannelShuffle does.
struct Shuffle {
    Node* cut = nullptr;   ///< [N, C, ...] -> [N, groups, C / groups, ...]
    Node* swap = nullptr;  ///< -> [N, C / groups, groups, ...]
    ops::ChannelShuffle op;
};

std::optional<Shuffle> shuffle_before(const Graph& graph, const Node* join) {
    if (!is_view(join)) return std::nullopt;
    Shuffle shuffle;
    shuffle.swap = rewrite::sole_producer(graph, join->input());
    if (!swaps_groups(shuffle.swap)) return std::nullopt;
    shuffle.cut = rewrite::sole_producer(graph, shuffle.swap->input());
    if (!is_view(shuffle.cut)) return std::nullopt;
    const auto groups = groups_of(shuffle.cut->input()->type.shape, shuffle.cut->output()->type.shape);
    if (!groups) return std::nullopt;
    shuffle.op.groups = *groups;
    const bool same = rewrite::gives(graph, shuffle.op, {shuffle.cut->input()}, join->output()->type);
    return same ? std::optional(shuffle) : std::nullopt;
}

}  // namespace

/// Makes a ChannelShuffle of a Reshape that shows the channels' groups, a Transpose of the two dimensions, and a
/// Reshape back, which in a layout other than plain would need reorders.
bool channel_shuffling(Graph& graph, PassContext& context) {
    bool changed = false;
    Node* next = nullptr;
    for (Node* node = graph.first_node(); node != nullptr; node = next) {
        next = node->next;
        const auto shuffle = shuffle_before(graph, node);
        if (!shuffle) continue;
        const auto what = [&] {
            return "makes a ChannelShuffle of " + rewrite::describe(graph, *shuffle->cut) + ", " +
                   rewrite::describe(graph, *shuffle->swap) + " and " + rewrite::describe(graph, *node);
        };
        if (!context.begin_rewrite(what)) return changed;
        changed = true;
        rewrite::add_origins(shuffle->swap->origins, std::move(shuffle->cut->origins));
        rewrite::add_origins(node->origins, std::move(shuffle->swap->origins));
        NodeSpec spec = rewrite::take_spec(*node);
        spec.op = shuffle->op;
        spec.inputs = {shuffle->cut->input()};
        rewrite::replace_node(graph, node, std::move(spec));
        rewrite::erase_dead(graph, shuffle->swap);
    }
    return changed;
}

}  // namespace seq::passes
