#include "engine/plan_file/plan_record.hpp"

#include <algorithm>
#include <optional>

#include "engine/groups.hpp"
#include "engine/plan_builder.hpp"
#include "engine/prepared_units.hpp"
#include "engine/samples.hpp"
#include "engine/slices.hpp"

namespace seq::plan_file {
namespace {

using Positions = std::map<const Node*, std::size_t>;

[[noreturn]] void refuse(const char* reason) { throw Error("plan/damaged", reason); }

Positions positions_of(const Graph& graph) {
    Positions positions;
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next)
        positions.emplace(node, positions.size());
    return positions;
}

bool is_group(const std::string& name, const Backend& backend) {
    return std::any_of(backend.groups->begin(), backend.groups->end(),
                       [&](const GroupKernel* kernel) { return kernel->name() == name; });
}

std::vector<UnitRecord> units_of(const Plan& plan, const Backend& backend) {
    const Positions positions = positions_of(plan.graph);
    std::vector<UnitRecord> units;
    for (const Step& step : plan.steps) {
        if (step.nodes.empty()) continue;
        UnitRecord unit{{}, step.kernel_name, is_group(step.kernel_name, backend), step.offer, Layout::plain()};
        for (const Node* node : step.nodes) unit.nodes.push_back(positions.at(node));
        if (!step.kernel->output_layouts.empty()) unit.output = step.kernel->output_layouts.front();
        units.push_back(std::move(unit));
    }
    for (const auto& [value, layout] : plan.joined)
        units.push_back({{positions.at(value->producer)}, {}, false, {}, layout});
    std::sort(units.begin(), units.end(),
              [](const UnitRecord& a, const UnitRecord& b) { return a.nodes.back() < b.nodes.back(); });
    return units;
}

/// Makes the choices of a graph out of records of its units.
class Restoration {
   public:
    Restoration(const Graph& graph, const Backend& backend, const ComputeOptions& options)
        : graph_(graph), backend_(backend), options_(options), nodes_(graph.nodes()) {}

    Selection run(const std::vector<UnitRecord>& units) {
        Selection selection;
        for (const UnitRecord& record : units) {
            Unit unit = unit_of(record);
            const Node* last = &unit.last();
            Candidate candidate{record.kernel, {}, record.offer, {}, {record.output}, 0, 0};
            const int rank = last->output()->type.shape.rank();
            if (!record.output.is_plain_order() && (rank < 3 || rank > 5)) refuse("a layout does not fit its value");
            if (!selection.emplace(last, Choice{std::move(unit), 0, {std::move(candidate)}}).second)
                refuse("a unit stands there twice");
        }
        return selection;
    }

   private:
    Unit unit_of(const UnitRecord& record) {
        std::vector<const Node*> nodes;
        for (const std::size_t position : record.nodes) {
            if (position >= nodes_.size()) refuse("a unit has a node that is not there");
            nodes.push_back(nodes_[position]);
        }
        if (!record.group && nodes.size() == 1) return node_unit(*nodes.front());
        if (!groups_) groups_ = find_groups(graph_, *backend_.groups, options_);
        for (const Group& group : *groups_) {
            if (group.kernel->name() == record.kernel && group.nodes == nodes) return group_unit(group);
        }
        refuse("a group has other nodes than its kernel runs");
    }

    const Graph& graph_;
    const Backend& backend_;
    const ComputeOptions& options_;
    std::vector<Node*> nodes_;
    std::optional<std::vector<Group>> groups_;
};

std::shared_ptr<Plan> restore_whole(const PlanRecord& record, Graph graph, const Backend& backend,
                                    const ComputeOptions& options, WeightProvider& weights) {
    auto plan = describe_plan(std::move(graph), record.bindings, backend);
    const Selection selection = Restoration(plan->graph, backend, options).run(record.units);
    ComputeOptions measured = options;
    measured.estimate = false;
    PlanBuilder(*plan, backend, options, weights, selection, prepare_units(selection, backend, measured, weights))
        .run();
    plan->careful = record.careful;
    return plan;
}

}  // namespace

PlanRecord record_of(const Plan& plan, const Backend& backend) {
    PlanRecord record;
    record.bindings = plan.bindings;
    record.careful = plan.careful;
    record.units = units_of(plan.inner(), backend);
    if (plan.slice == nullptr) return record;
    record.slice_samples = plan.slice->inputs.front().sizes.front();
    record.slices_apart = Slicing{record.slice_samples, true}.to_string() == plan.slicing;
    return record;
}

std::shared_ptr<Plan> restore(const PlanRecord& record, const Graph& graph, const Backend& backend,
                              const ComputeOptions& options, WeightProvider& weights) {
    if (record.slice_samples == 0) return restore_whole(record, graph.clone(), backend, options, weights);
    const auto samples = independent_samples(graph);
    if (record.slice_samples < 1 || !samples || record.slice_samples >= *samples ||
        *samples % record.slice_samples != 0)
        refuse("the slices do not fit the batch");
    const Slicing slicing{record.slice_samples, record.slices_apart};
    ComputeOptions inner = options;
    if (slicing.apart) inner.threads = 1;
    auto sliced = with_samples(graph, slicing.samples);
    if (!sliced) refuse("the slices do not fit the model");
    auto plan = restore_whole(record, std::move(*sliced), backend, inner, weights);
    return make_sliced_plan(graph.clone(), record.bindings, backend, std::move(plan), slicing, options.threads);
}

}  // namespace seq::plan_file
