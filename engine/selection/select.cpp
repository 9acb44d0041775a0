#include "engine/selection/select.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "engine/selection/enumerate.hpp"
#include "engine/selection/footprint.hpp"
#include "engine/selection/group_choice.hpp"
#include "engine/selection/layout_choice.hpp"
#include "engine/selection/measure.hpp"

namespace seq {
namespace {

/// What is chosen for, in topological order: nodes and groups, without what is settled.
class Units {
   public:
    Units(const Graph& graph, const Settled& settled) : graph_(graph) {
        if (settled.head != nullptr) settled_.insert(settled.head->unit.nodes.begin(), settled.head->unit.nodes.end());
    }

    std::vector<Group> free_groups(const Backend& backend, const ComputeOptions& options) const {
        std::vector<Group> groups = find_groups(graph_, *backend.groups, options);
        std::erase_if(groups, [&](const Group& group) {
            return std::any_of(group.nodes.begin(), group.nodes.end(),
                               [&](const Node* node) { return settled_.contains(node); });
        });
        return groups;
    }

    /// What would be measured, so that progress can be told.
    std::vector<Unit> all(const std::vector<Group>& groups) const {
        std::vector<Unit> units;
        for (const Group& group : groups) units.push_back(group_unit(group));
        for (const Node* node = graph_.first_node(); node != nullptr; node = node->next) {
            if (!is_view(*node) && !settled_.contains(node)) units.push_back(node_unit(*node));
        }
        return units;
    }

    std::vector<Unit> with(const std::vector<Group>& groups) const {
        std::map<const Node*, const Group*> by_last;
        std::set<const Node*> inner = settled_;
        for (const Group& group : groups) {
            by_last[group.nodes.back()] = &group;
            inner.insert(group.nodes.begin(), group.nodes.end() - 1);
        }
        std::vector<Unit> units;
        for (const Node* node = graph_.first_node(); node != nullptr; node = node->next) {
            if (inner.contains(node)) continue;
            const auto group = by_last.find(node);
            units.push_back(group == by_last.end() ? node_unit(*node) : group_unit(*group->second));
        }
        return units;
    }

   private:
    const Graph& graph_;
    std::set<const Node*> settled_;
};

/// The groups that pay; all that were weighed are in `weighed`, by each of their nodes.
std::vector<Group> choose(std::vector<Group> groups, GroupChoice choice,
                          std::map<const Node*, std::shared_ptr<const WeighedGroup>>& weighed) {
    std::erase_if(groups, [&](const Group& group) {
        const auto result = std::make_shared<const WeighedGroup>(choice.weigh(group));
        for (const Node* node : group.nodes) weighed[node] = result;
        return !result->pays;
    });
    return groups;
}

}  // namespace

Selection select(const Graph& graph, const Backend& backend, const ComputeOptions& options, Tuning& tuning,
                 const Settled& settled) {
    if (tuning.effort == Tune::none) return {};
    const Units units(graph, settled);
    const std::vector<Group> groups = units.free_groups(backend, options);
    const Graph& whole = settled.whole != nullptr ? *settled.whole : graph;
    // A device's stopwatch has one kind of run alone.
    const WeightHome home =
        backend.device != nullptr ? WeightHome::core : weight_home(footprint_of(whole, options.dtype), options.threads);
    const bool cold = home != WeightHome::core;
    Measurements measurements(graph, backend, options, tuning, home, settled.abreast);
    measurements.prepare(units.all(groups));
    std::map<const Node*, std::shared_ptr<const WeighedGroup>> weighed;
    const std::vector<Group> chosen = choose(groups, GroupChoice(measurements, cold, options.threads), weighed);

    LayoutChoice layouts(graph, cold, kept_in(options.dtype), settled.free_outputs, measurements);
    if (settled.head != nullptr) layouts.add_settled(*settled.head);
    for (Unit& unit : units.with(chosen)) {
        if (unit.group == nullptr && is_view(unit.last())) {
            layouts.add_view(unit.last());
        } else if (!layouts.add(std::move(unit))) {
            return {};
        }
    }
    Selection selection = layouts.solve();
    for (auto& [last, choice] : selection) {
        if (const auto group = weighed.find(last); group != weighed.end()) choice.weighed = group->second;
    }
    if (settled.head != nullptr) selection[&settled.head->unit.last()] = *settled.head;
    tuning.cache.save();
    return selection;
}

}  // namespace seq
