#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/plan.hpp"

namespace seq::plan_file {

/// What runs one unit of a plan.
struct UnitRecord {
    /// Positions in the graph's order.
    std::vector<std::size_t> nodes;
    /// Empty for a join that takes no step.
    std::string kernel;
    bool group = false;
    Offer offer;
    /// How its first output lies.
    Layout output;
};

/// All that was chosen for one plan, from which it is made again without measuring.
struct PlanRecord {
    Bindings bindings;
    std::optional<Slicing> slicing;
    bool careful = false;
    /// Of the slice's plan, and of what takes the whole batch. Where all nodes are sliced there are no others.
    std::vector<UnitRecord> slice_units;
    std::vector<UnitRecord> units;
};

PlanRecord record_of(const Plan& plan, const Backend& backend);

/// What runs units of the record otherwise than it says, which is what happens where a kernel or its variant is not
/// there any more: "`conv1` by cudnn.convolution, engine 3: convolution + bias".
std::vector<std::string> others_in(const Plan& plan, const PlanRecord& record);

/// `graph` has its sizes bound to the record's bindings. Throws Error plan/damaged where the record does not fit it,
/// and as make_plan and `weights` do.
std::shared_ptr<Plan> restore(const PlanRecord& record, const Graph& graph, const Backend& backend,
                              const ComputeOptions& options, WeightProvider& weights);

}  // namespace seq::plan_file
