#include "engine/selection/group_choice.hpp"

#include <algorithm>
#include <limits>

namespace seq {
namespace {

/// What a core reads of the cache that it shares with others, in bytes a microsecond. A value between two nodes is
/// there when a network runs, but in the core's own cache when each is timed by itself.
constexpr double shared_cache_bytes = 25e3;

std::vector<Candidate> view_candidates() { return {{"", "", {}, {Layout::plain()}, {Layout::plain()}, 0, 0}}; }

}  // namespace

bool GroupChoice::pays(const Group& group) {
    const std::vector<Candidate> candidates = measurements_.of(group_unit(group));
    return std::any_of(candidates.begin(), candidates.end(),
                       [&](const Candidate& together) { return together.cost(cold_) < apart(group, together); });
}

double GroupChoice::apart(const Group& group, const Candidate& together) {
    Pbqp problem;
    std::map<const Value*, Source> sources;
    for (const Node* node : group.nodes) {
        const std::vector<Candidate> candidates =
            is_view(*node) ? view_candidates() : measurements_.of(node_unit(*node));
        if (candidates.empty()) return std::numeric_limits<double>::infinity();
        std::vector<double> costs;
        for (const Candidate& candidate : candidates)
            costs.push_back(candidate.cost(cold_) + outer_cost(group, together, *node, candidate));
        const std::size_t index = problem.add_node(std::move(costs));
        for (std::size_t i = 0; i < candidates.front().inputs.size(); ++i) {
            const auto source = sources.find(node->inputs[i]);
            if (source == sources.end()) continue;
            std::vector<Layout> wanted;
            for (const Candidate& candidate : candidates) wanted.push_back(candidate.inputs[i]);
            connect(problem, index, *node->inputs[i], source->second, wanted);
        }
        Source& source = sources[node->output()];
        source.node = index;
        for (const Candidate& candidate : candidates) source.layouts.push_back(candidate.outputs[0]);
    }
    return problem.cost(problem.solve());
}

/// Reorders between what the node has and what the group has of the same values.
double GroupChoice::outer_cost(const Group& group, const Candidate& together, const Node& node,
                               const Candidate& candidate) {
    double cost = 0;
    for (std::size_t i = 0; i < candidate.inputs.size(); ++i) {
        const auto found = std::find(group.values.begin(), group.values.end(), node.inputs[i]);
        if (found == group.values.end()) continue;
        const auto position = static_cast<std::size_t>(found - group.values.begin());
        cost += measurements_.reorder(*node.inputs[i], together.inputs[position], candidate.inputs[i]);
    }
    if (&node == group.nodes.back())
        cost += measurements_.reorder(*node.output(), candidate.outputs[0], together.outputs[0]);
    return cost;
}

void GroupChoice::connect(Pbqp& problem, std::size_t node, const Value& value, const Source& source,
                          const std::vector<Layout>& wanted) {
    const double bytes = static_cast<double>(place(value, Layout::plain()).byte_count());
    const double traffic = bytes / (shared_cache_bytes * threads_);
    std::vector<std::vector<double>> costs;
    for (const Layout& from : source.layouts) {
        std::vector<double>& row = costs.emplace_back();
        for (const Layout& to : wanted) row.push_back(traffic + measurements_.reorder(value, from, to));
    }
    problem.add_edge(source.node, node, costs);
}

}  // namespace seq
