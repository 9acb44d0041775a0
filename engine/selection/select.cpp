#include "engine/selection/select.hpp"

#include <algorithm>
#include <set>

#include "engine/selection/enumerate.hpp"
#include "engine/selection/footprint.hpp"
#include "engine/selection/group_choice.hpp"
#include "engine/selection/layout_choice.hpp"
#include "engine/selection/measure.hpp"

namespace seq {
namespace {

std::vector<Unit> units_of(const Graph& graph, const std::vector<Group>& groups) {
    std::map<const Node*, const Group*> by_last;
    std::set<const Node*> inner;
    for (const Group& group : groups) {
        by_last[group.nodes.back()] = &group;
        inner.insert(group.nodes.begin(), group.nodes.end() - 1);
    }
    std::vector<Unit> units;
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        if (inner.contains(node)) continue;
        const auto group = by_last.find(node);
        units.push_back(group == by_last.end() ? node_unit(*node) : group_unit(*group->second));
    }
    return units;
}

/// What would be measured, so that progress can be told.
std::vector<Unit> all_units(const Graph& graph, const std::vector<Group>& groups) {
    std::vector<Unit> units;
    for (const Group& group : groups) units.push_back(group_unit(group));
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        if (!is_view(*node)) units.push_back(node_unit(*node));
    }
    return units;
}

}  // namespace

Selection select(const Graph& graph, const Backend& backend, const ComputeOptions& options, Tuning& tuning) {
    if (tuning.effort == Tune::none) return {};
    std::vector<Group> groups = find_groups(graph, *backend.groups, options);
    const WeightHome home = weight_home(footprint_of(graph, options.dtype), options.threads);
    const bool cold = home != WeightHome::core;
    Measurements measurements(graph, backend, options, tuning, home);
    measurements.prepare(all_units(graph, groups));
    GroupChoice choice(measurements, cold, options.threads);
    std::erase_if(groups, [&](const Group& group) { return !choice.pays(group); });

    LayoutChoice layouts(graph, cold, options.dtype == DType::bf16, measurements);
    for (Unit& unit : units_of(graph, groups)) {
        if (unit.group == nullptr && is_view(unit.last())) {
            layouts.add_view(unit.last());
        } else if (!layouts.add(std::move(unit))) {
            return {};
        }
    }
    Selection selection = layouts.solve();
    tuning.cache.save();
    return selection;
}

}  // namespace seq
