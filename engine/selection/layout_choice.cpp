#include "engine/selection/layout_choice.hpp"

#include <algorithm>

#include "engine/join.hpp"

namespace seq {
namespace {

bool needs_no_step(const Unit& unit, const Candidate& candidate) {
    const auto& layouts = candidate.inputs;
    return unit.nodes.size() == 1 && is_side_by_side(unit.last(), candidate.outputs[0]) &&
           std::all_of(layouts.begin(), layouts.end(),
                       [&](const Layout& layout) { return layout == candidate.outputs[0]; });
}

}  // namespace

bool LayoutChoice::add(Unit unit) {
    std::vector<Candidate> candidates = measurements_.of(unit);
    if (candidates.empty()) return false;
    std::vector<Candidate> left_out = measurements_.left_out(unit);
    add_item(std::move(unit), std::move(candidates));
    items_.back().left_out = std::move(left_out);
    return true;
}

void LayoutChoice::add_view(const Node& node) {
    std::vector<Candidate> views;
    for (const Kept kept : {Kept::own, lowered_}) {
        const Layout layout = Layout::plain().kept(kept);
        views.push_back({"", "", {}, {layout}, {layout}, 0, 0});
        if (lowered_ == Kept::own || node.output()->type.dtype != DType::f32) break;
    }
    add_item(Unit{{&node}, {node.input()}, nullptr}, std::move(views));
}

void LayoutChoice::add_item(Unit unit, std::vector<Candidate> candidates) {
    std::vector<double> costs;
    for (const Candidate& candidate : candidates) {
        double cost = needs_no_step(unit, candidate) ? 0 : candidate.cost(cold_);
        for (std::size_t i = 0; i < unit.inputs.size(); ++i) {
            const Value& value = *unit.inputs[i];
            if (value.kind == ValueKind::input)
                cost += measurements_.reorder(value, Layout::plain(), candidate.inputs[i]);
        }
        for (std::size_t i = 0; i < unit.outputs().size(); ++i) {
            const Value& value = *unit.outputs()[i];
            if (graph_.is_output(&value) && !free_outputs_)
                cost += measurements_.reorder(value, candidate.outputs[i], Layout::plain());
        }
        costs.push_back(cost);
    }
    const std::size_t node = problem_.add_node(std::move(costs));
    items_.push_back({std::move(unit), std::move(candidates)});
    const Unit& added = items_.back().unit;
    for (std::size_t i = 0; i < added.inputs.size(); ++i) connect(node, *added.inputs[i], i);
    for (std::size_t i = 0; i < added.outputs().size(); ++i) sources_[added.outputs()[i]] = {node, i};
}

void LayoutChoice::connect(std::size_t node, const Value& value, std::size_t input) {
    const auto found = sources_.find(&value);
    if (found == sources_.end()) return;
    const Source source = found->second;
    std::vector<std::vector<double>> costs;
    for (const Candidate& from : items_[source.node].candidates) {
        std::vector<double>& row = costs.emplace_back();
        for (const Candidate& to : items_[node].candidates)
            row.push_back(measurements_.reorder(value, from.outputs[source.output], to.inputs[input]));
    }
    problem_.add_edge(source.node, node, costs);
}

Selection LayoutChoice::solve() {
    const std::vector<std::size_t> options = problem_.solve();
    Selection selection;
    for (std::size_t node = 0; node < items_.size(); ++node) {
        Item& item = items_[node];
        if (item.candidates[options[node]].kernel.empty()) continue;
        item.candidates.insert(item.candidates.end(), item.left_out.begin(), item.left_out.end());
        const Node* last = &item.unit.last();
        selection.emplace(last, Choice{std::move(item.unit), options[node], std::move(item.candidates)});
    }
    return selection;
}

}  // namespace seq
