#include <algorithm>

#include "graph/checked.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/ops/pad.hpp"
#include "graph/ops/pool.hpp"
#include "graph/passes/passes.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {
namespace {

std::optional<ops::PadForm> constant_pad(const Node* node) {
    if (node == nullptr || node->inputs.size() != 1 || !node->epilogue.empty()) return std::nullopt;
    auto form = ops::pad_form(node->op);
    if (!form || form->mode != ops::PadMode::constant) return std::nullopt;
    const bool grows = std::all_of(form->amounts.begin(), form->amounts.end(), [](const ops::PadAmount& amount) {
        return amount.before >= 0 && amount.after >= 0;
    });
    return grows ? form : std::nullopt;
}

/// What a pad with zeros adds at both sides of each of the last `spatial` dimensions; nullopt where the sides differ or
/// other dimensions are padded.
std::optional<std::vector<std::int64_t>> symmetric_amounts(const ops::PadForm& form, int spatial) {
    if (form.value != 0) return std::nullopt;
    std::vector<std::int64_t> amounts(static_cast<std::size_t>(spatial), 0);
    for (int i = 0; i < form.dims; ++i) {
        const ops::PadAmount& amount = form.amounts[static_cast<std::size_t>(i)];
        if (amount == ops::PadAmount{}) continue;
        const int at = i - form.dims + spatial;
        if (at < 0 || amount.before != amount.after) return std::nullopt;
        amounts[static_cast<std::size_t>(at)] = amount.before;
    }
    return amounts;
}

IntList short_list(std::vector<std::int64_t> values) {
    const bool equal =
        std::all_of(values.begin(), values.end(), [&](std::int64_t value) { return value == values.front(); });
    return equal ? IntList(values.front()) : IntList(std::move(values));
}

/// The sums of a window layer's own padding and `added`; nullopt where the layer pads its sides differently.
template <class Layer>
std::optional<IntList> padding_with(const Layer& layer, const std::vector<std::int64_t>& added) {
    std::vector<std::int64_t> amounts;
    for (int i = 0; i < static_cast<int>(added.size()); ++i) {
        const ops::Window window = layer.window(i);
        const auto sum = checked_add(window.pad_before, added[static_cast<std::size_t>(i)]);
        if (window.pad_before != window.pad_after || !sum) return std::nullopt;
        amounts.push_back(*sum);
    }
    return short_list(std::move(amounts));
}

template <class Layer>
bool pads(const Layer& layer, int spatial) {
    for (int i = 0; i < spatial; ++i) {
        if (layer.window(i).pad_before != 0 || layer.window(i).pad_after != 0) return true;
    }
    return false;
}

template <int N>
std::optional<Op> padded_conv(const Op& op, const ops::PadForm& form) {
    const auto* conv = op.as<ops::Conv<N>>();
    const auto added = symmetric_amounts(form, N);
    if (conv == nullptr || !added || (conv->padding_mode != "zeros" && pads(*conv, N))) return std::nullopt;
    const auto padding = padding_with(*conv, *added);
    if (!padding) return std::nullopt;
    ops::Conv<N> padded = *conv;
    padded.padding = Padding(*padding);
    padded.padding_mode = "zeros";
    return padded;
}

/// With ceil_mode a window may reach past what was padded, where zeros do not count.
template <int N>
std::optional<Op> padded_pool(const Op& op, const ops::PadForm& form) {
    const auto* pool = op.as<ops::AvgPool<N>>();
    const auto added = symmetric_amounts(form, N);
    if (pool == nullptr || !added || pool->ceil_mode || (!pool->count_include_pad && pads(*pool, N)))
        return std::nullopt;
    const auto padding = padding_with(*pool, *added);
    if (!padding) return std::nullopt;
    ops::AvgPool<N> padded = *pool;
    padded.padding = *padding;
    padded.count_include_pad = true;
    return padded;
}

/// For dimension `i`, counted from the last one.
ops::PadAmount amount_from_last(const ops::PadForm& form, int i) {
    return i < form.dims ? form.amounts[static_cast<std::size_t>(form.dims - 1 - i)] : ops::PadAmount{};
}

/// A pad with `form` and then `after`, both with one number.
std::optional<Op> padded_pad(const Node& first, const ops::PadForm& form, const Node& node) {
    const auto after = constant_pad(&node);
    if (!after || after->value != form.value) return std::nullopt;
    const bool wider = after->dims >= form.dims;
    std::vector<std::int64_t> padding;
    for (int i = 0; i < std::max(after->dims, form.dims); ++i) {
        const ops::PadAmount a = amount_from_last(form, i);
        const ops::PadAmount b = amount_from_last(*after, i);
        const auto before = checked_add(a.before, b.before);
        const auto behind = checked_add(a.after, b.after);
        if (!before || !behind) return std::nullopt;
        padding.insert(padding.end(), {*before, *behind});
    }
    Op op = wider ? node.op : first.op;
    op.set(*op.type().find_field("padding"), padding);
    return op;
}

std::optional<Op> with_padding(const Node& pad, const ops::PadForm& form, const Node& node) {
    using Rule = std::optional<Op> (*)(const Op&, const ops::PadForm&);
    for (const Rule rule : {Rule(padded_conv<1>), Rule(padded_conv<2>), Rule(padded_conv<3>), Rule(padded_pool<1>),
                            Rule(padded_pool<2>), Rule(padded_pool<3>)}) {
        if (auto op = rule(node.op, form)) return op;
    }
    return node.epilogue.empty() ? padded_pad(pad, form, node) : std::nullopt;
}

}  // namespace

/// Folds a pad with zeros, equal at both sides, into the convolution or mean pool that reads it, and a pad with a
/// number into another one with that number. A max pool pads with less than any number, so it takes none.
bool pad_folding(Graph& graph, PassContext& context) {
    bool changed = false;
    Node* next = nullptr;
    for (Node* node = graph.first_node(); node != nullptr; node = next) {
        next = node->next;
        if (node->data_count != 1 || node->outputs.size() != 1) continue;
        Node* pad = node->input()->producer;
        const auto form = constant_pad(pad);
        const auto op = form ? with_padding(*pad, *form, *node) : std::nullopt;
        if (!op || !rewrite::gives(graph, *op, {pad->input()}, node->output()->type)) continue;
        const auto what = [&] {
            return "folds " + rewrite::describe(graph, *pad) + " into " + rewrite::describe(graph, *node);
        };
        if (!context.begin_rewrite(what)) return changed;
        NodeSpec spec = rewrite::take_spec(*node);
        spec.op = *op;
        spec.inputs = {pad->input()};
        rewrite::add_origins(spec.origins,
                             graph.has_single_use(pad->output()) ? std::move(pad->origins) : pad->origins);
        rewrite::replace_node(graph, node, std::move(spec));
        rewrite::erase_dead(graph, pad);
        changed = true;
    }
    return changed;
}

}  // namespace seq::passes
