#include "engine/selection/group_choice.hpp"

#include <algorithm>

namespace seq {
namespace {

/// What a core reads of the cache that it shares with others, in bytes a microsecond. A value between two nodes is
/// there when a network runs, but in the core's own cache when each is timed by itself.
constexpr double shared_cache_bytes = 25e3;

std::vector<Candidate> view_candidates() { return {{"", "", {}, {Layout::plain()}, {Layout::plain()}, 0, 0}}; }

}  // namespace

WeighedGroup GroupChoice::weigh(const Group& group) {
    WeighedGroup weighed{group_unit(group), cold_, false, measurements_.of(group_unit(group)), {}, {}};
    for (const Node* node : group.nodes) weighed.nodes.push_back(candidates_of(*node));
    for (const Candidate& together : weighed.together) {
        const std::optional<Apart>& apart = weighed.apart.emplace_back(this->apart(weighed, together));
        weighed.pays = weighed.pays || !apart || together.cost(cold_) < apart->sum;
    }
    return weighed;
}

std::vector<Candidate> GroupChoice::candidates_of(const Node& node) const {
    return is_view(node) ? view_candidates() : measurements_.of(node_unit(node));
}

std::optional<Apart> GroupChoice::apart(const WeighedGroup& group, const Candidate& together) {
    Pbqp problem;
    std::map<const Value*, Source> sources;
    for (std::size_t index = 0; index < group.nodes.size(); ++index) {
        const Node& node = *group.unit.nodes[index];
        const std::vector<Candidate>& candidates = group.nodes[index];
        if (candidates.empty()) return std::nullopt;
        std::vector<double> costs;
        for (const Candidate& candidate : candidates)
            costs.push_back(candidate.cost(cold_) + outer_cost(group.unit, together, node, candidate));
        problem.add_node(std::move(costs));
        for (std::size_t i = 0; i < candidates.front().inputs.size(); ++i) {
            const auto source = sources.find(node.inputs[i]);
            if (source == sources.end()) continue;
            std::vector<Layout> wanted;
            for (const Candidate& candidate : candidates) wanted.push_back(candidate.inputs[i]);
            connect(problem, index, *node.inputs[i], source->second, wanted);
        }
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            Source& source = sources[node.outputs[i]];
            source.node = index;
            for (const Candidate& candidate : candidates) source.layouts.push_back(candidate.outputs[i]);
        }
    }
    Apart apart;
    apart.candidates = problem.solve();
    apart.sum = problem.cost(apart.candidates);
    if (apart.sum >= Measurements::endless) return std::nullopt;
    split(apart, group, together);
    return apart;
}

/// Reorders between what the node has and what the group has of the same values.
double GroupChoice::outer_cost(const Unit& group, const Candidate& together, const Node& node,
                               const Candidate& candidate) {
    double cost = 0;
    for (std::size_t i = 0; i < candidate.inputs.size(); ++i) {
        const auto found = std::find(group.inputs.begin(), group.inputs.end(), node.inputs[i]);
        if (found == group.inputs.end()) continue;
        const auto position = static_cast<std::size_t>(found - group.inputs.begin());
        cost += measurements_.reorder(*node.inputs[i], together.inputs[position], candidate.inputs[i]);
    }
    if (&node != &group.last()) return cost;
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
        cost += measurements_.reorder(*node.outputs[i], candidate.outputs[i], together.outputs[i]);
    return cost;
}

void GroupChoice::connect(Pbqp& problem, std::size_t node, const Value& value, const Source& source,
                          const std::vector<Layout>& wanted) {
    std::vector<std::vector<double>> costs;
    for (const Layout& from : source.layouts) {
        std::vector<double>& row = costs.emplace_back();
        for (const Layout& to : wanted) row.push_back(between(value) + measurements_.reorder(value, from, to));
    }
    problem.add_edge(source.node, node, costs);
}

double GroupChoice::between(const Value& value) const {
    const double bytes = static_cast<double>(place(value, Layout::plain()).byte_count());
    return bytes / (shared_cache_bytes * threads_);
}

void GroupChoice::split(Apart& apart, const WeighedGroup& group, const Candidate& together) {
    std::map<const Value*, Layout> layouts;
    for (std::size_t index = 0; index < group.nodes.size(); ++index) {
        const Node& node = *group.unit.nodes[index];
        const Candidate& candidate = group.nodes[index][apart.candidates[index]];
        apart.kernels += candidate.cost(cold_);
        apart.reorders += outer_cost(group.unit, together, node, candidate);
        for (std::size_t i = 0; i < candidate.inputs.size(); ++i) {
            const auto source = layouts.find(node.inputs[i]);
            if (source == layouts.end()) continue;
            apart.between += between(*node.inputs[i]);
            apart.reorders += measurements_.reorder(*node.inputs[i], source->second, candidate.inputs[i]);
        }
        for (std::size_t i = 0; i < node.outputs.size(); ++i) layouts[node.outputs[i]] = candidate.outputs[i];
    }
}

}  // namespace seq
