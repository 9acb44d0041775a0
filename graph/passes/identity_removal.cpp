#include <algorithm>

#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/concat.hpp"
#include "graph/ops/pad.hpp"
#include "graph/ops/permute.hpp"
#include "graph/ops/pool.hpp"
#include "graph/ops/reduce.hpp"
#include "graph/ops/shuffle.hpp"
#include "graph/ops/slice.hpp"
#include "graph/ops/split.hpp"
#include "graph/ops/upsample.hpp"
#include "graph/passes/passes.hpp"
#include "graph/passes/views.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {
namespace {

bool all_equal(const IntList& list, std::int64_t wanted) {
    return std::all_of(list.values().begin(), list.values().end(), [&](std::int64_t value) { return value == wanted; });
}

bool moves_nothing(const Op& op, int rank) {
    const auto permutation = ops::permutation_of(op, rank);
    if (!permutation) return false;
    for (int i = 0; i < rank; ++i) {
        if ((*permutation)[static_cast<std::size_t>(i)] != i) return false;
    }
    return true;
}

/// x · 1, x / 1 and x - 0 give x bit for bit; x + 0 turns -0 into 0.
bool is_neutral(const Op& op, bool strict) {
    const auto form = ops::arithmetic_form(op);
    if (!form || !form->other) return false;
    const bool product = form->kind == ops::Arithmetic::mul || form->kind == ops::Arithmetic::div;
    if (product) return *form->other == 1;
    return *form->other == 0 && (form->kind == ops::Arithmetic::sub || !strict);
}

bool pads_nothing(const Op& op) {
    const auto form = ops::pad_form(op);
    return form && std::all_of(form->amounts.begin(), form->amounts.end(),
                               [](const ops::PadAmount& amount) { return amount == ops::PadAmount{}; });
}

template <class Pool>
bool has_unit_window(const Op& op) {
    const auto* pool = op.as<Pool>();
    if (pool == nullptr || !all_equal(pool->kernel_size, 1)) return false;
    if constexpr (requires { pool->return_indices; }) {
        if (pool->return_indices) return false;
    }
    if constexpr (requires { pool->divisor(); }) {
        if (pool->divisor().value_or(1) != 1) return false;
    }
    return all_equal(pool->padding, 0) && (pool->stride.empty() || all_equal(pool->stride, 1));
}

template <class Pool>
bool is_adaptive(const Op& op) {
    const auto* pool = op.as<Pool>();
    if (pool == nullptr) return false;
    if constexpr (requires { pool->return_indices; }) return !pool->return_indices;
    return true;
}

bool is_unit_pool(const Op& op) {
    using namespace ops;
    return has_unit_window<MaxPool1d>(op) || has_unit_window<MaxPool2d>(op) || has_unit_window<MaxPool3d>(op) ||
           has_unit_window<AvgPool1d>(op) || has_unit_window<AvgPool2d>(op) || has_unit_window<AvgPool3d>(op);
}

bool is_adaptive_pool(const Op& op) {
    using namespace ops;
    return is_adaptive<AdaptiveAvgPool1d>(op) || is_adaptive<AdaptiveAvgPool2d>(op) ||
           is_adaptive<AdaptiveAvgPool3d>(op) || is_adaptive<AdaptiveMaxPool1d>(op) ||
           is_adaptive<AdaptiveMaxPool2d>(op) || is_adaptive<AdaptiveMaxPool3d>(op);
}

bool keeps_positions(const Op& op) {
    const auto form = ops::upsample_form(op);
    return form && std::all_of(form->scales.begin(), form->scales.end(),
                               [](const auto& scale) { return scale.value_or(1) == 1; });
}

bool is_unit_shuffle(const Op& op) {
    if (const auto* shuffle = op.as<ops::PixelShuffle>()) return shuffle->upscale_factor == 1;
    if (const auto* shuffle = op.as<ops::PixelUnshuffle>()) return shuffle->downscale_factor == 1;
    if (const auto* shuffle = op.as<ops::ChannelShuffle>()) return shuffle->groups == 1;
    return false;
}

/// Whether a node whose result has its only input's type gives that input.
bool gives_its_input(const Node& node, bool strict) {
    const Op& op = node.op;
    if (op.traits().identity_at_inference || op.traits().view) return true;
    if (op.is<ops::Concat>() || op.is<ops::Split>()) return true;
    // Of an equal size only the whole, or a mean of one element for each, is left.
    if (const auto* slice = op.as<ops::Slice>()) return slice->step == 1;
    if (op.is<ops::Mean>() || op.is<ops::Sum>() || is_adaptive_pool(op)) return true;
    return moves_nothing(op, node.input()->type.shape.rank()) || pads_nothing(op) || is_neutral(op, strict) ||
           is_unit_pool(op) || is_unit_shuffle(op) || keeps_positions(op);
}

bool is_identity(const Graph& graph, const Node& node, bool strict) {
    if (node.inputs.size() != 1 || node.outputs.size() != 1 || !node.epilogue.empty()) return false;
    const Value* source = node.input();
    if (source->type.error || !(source->type == node.output()->type) || !gives_its_input(node, strict)) return false;
    return may_bypass(graph, node, source);
}

}  // namespace

/// Takes out nodes that give what they get. One stays where a graph's output would be its input, or another output.
bool identity_removal(Graph& graph, PassContext& context) {
    bool changed = false;
    Node* next = nullptr;
    for (Node* node = graph.first_node(); node != nullptr; node = next) {
        next = node->next;
        if (!is_identity(graph, *node, context.strict)) continue;
        if (!context.begin_rewrite([&] { return "removes " + rewrite::describe(graph, *node); })) return changed;
        rewrite::bypass(graph, node, node->input());
        changed = true;
    }
    return changed;
}

}  // namespace seq::passes
