#include "engine/plan_file/plan_record.hpp"

#include <fmt/format.h>

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
        if (step.nodes.empty() || (plan.slice != nullptr && &step == &plan.steps[0])) continue;
        UnitRecord unit{{}, step.kernel_name, is_group(step.kernel_name, backend), step.offer, Layout::plain()};
        unit.offer.variant = step.kernel->variant;
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

std::shared_ptr<Plan> restore_units(std::shared_ptr<Plan> plan, const std::vector<UnitRecord>& units, bool careful,
                                    const Choice* head, const Backend& backend, const ComputeOptions& options,
                                    WeightProvider& weights) {
    Selection selection = Restoration(plan->graph, backend, options).run(units);
    PreparedUnits prepared = prepare_units(selection, backend, options, weights);
    if (head != nullptr && !selection.emplace(&head->unit.last(), *head).second) refuse("a unit stands there twice");
    PlanBuilder(*plan, backend, options, weights, selection, std::move(prepared)).run();
    plan->careful = careful;
    return plan;
}

void require_fit(const Slicing& slicing, const Graph& graph, const std::vector<UnitRecord>& units) {
    const auto samples = independent_samples(graph);
    if (slicing.samples < 1 || !samples || slicing.samples >= *samples || *samples % slicing.samples != 0)
        refuse("the slices do not fit the batch");
    if (slicing.nodes == 0) return;
    const std::vector<std::size_t> cuts = cuts_of(graph);
    if (std::find(cuts.begin(), cuts.end(), slicing.nodes) == cuts.end()) refuse("the slices do not fit the model");
    for (const UnitRecord& unit : units) {
        const bool sliced = std::any_of(unit.nodes.begin(), unit.nodes.end(),
                                        [&](std::size_t position) { return position < slicing.nodes; });
        if (sliced) refuse("a unit computes what slices do");
    }
}

}  // namespace

PlanRecord record_of(const Plan& plan, const Backend& backend) {
    PlanRecord record;
    record.bindings = plan.bindings;
    record.careful = plan.careful;
    record.units = units_of(plan, backend);
    if (plan.slice == nullptr) return record;
    record.slicing = plan.slicing;
    record.slice_units = units_of(*plan.slice, backend);
    return record;
}

std::vector<std::string> others_in(const Plan& plan, const PlanRecord& record) {
    std::map<const Node*, const UnitRecord*> recorded;
    const std::vector<Node*> nodes = plan.graph.nodes();
    for (const UnitRecord& unit : record.units) recorded[nodes.at(unit.nodes.back())] = &unit;
    std::vector<std::string> others;
    for (const Step& step : plan.steps) {
        const auto found = step.nodes.empty() ? recorded.end() : recorded.find(step.nodes.back());
        if (found == recorded.end()) continue;
        const UnitRecord& unit = *found->second;
        if (unit.kernel == step.kernel_name && unit.offer.variant == step.kernel->variant) continue;
        others.push_back(fmt::format("`{}` by {}{}{}", layer_name(plan.graph, *step.nodes.front()), step.kernel_name,
                                     step.kernel->variant.empty() ? "" : ", ", step.kernel->variant));
    }
    return others;
}

std::shared_ptr<Plan> restore(const PlanRecord& record, const Graph& graph, const Backend& backend,
                              const ComputeOptions& options, WeightProvider& weights) {
    const auto describe = [&](Graph of) { return describe_plan(std::move(of), record.bindings, backend); };
    if (!record.slicing)
        return restore_units(describe(graph.clone()), record.units, record.careful, nullptr, backend, options, weights);
    const Slicing& slicing = *record.slicing;
    require_fit(slicing, graph, record.units);
    std::optional<Graph> sliced = slice_of(graph, slicing);
    if (!sliced) refuse("the slices do not fit the model");
    std::shared_ptr<Plan> slice = describe(std::move(*sliced));
    slice->free_outputs = slicing.nodes > 0;
    in_slice_arena(slicing, [&] {
        restore_units(slice, record.slice_units, record.careful, nullptr, backend, slice_options(options, slicing),
                      weights);
    });
    if (slicing.nodes == 0)
        return make_sliced_plan(graph.clone(), record.bindings, backend, std::move(slice), slicing, options.threads);
    std::shared_ptr<Plan> plan = describe(graph.clone());
    const Choice head = head_choice(plan->graph, slice, slicing, options.threads);
    restore_units(plan, record.units, record.careful, &head, backend, options, weights);
    attach_slice(*plan, std::move(slice), slicing, options.threads);
    return plan;
}

}  // namespace seq::plan_file
