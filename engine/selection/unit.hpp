#pragma once

#include <string>
#include <vector>

#include "engine/groups.hpp"
#include "graph/ir.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// What one kernel runs: a node, or a group of them.
struct Unit {
    std::vector<const Node*> nodes;
    /// What it reads: of a node all its inputs, of a group the values from outside alone.
    std::vector<const Value*> inputs;
    /// Set where the unit is a group.
    const GroupKernel* group = nullptr;

    const Node& last() const { return *nodes.back(); }
    const std::vector<Value*>& outputs() const { return last().outputs; }
};

Unit node_unit(const Node& node);
Unit group_unit(const Group& group);

/// Whether the node has no step: its result is its input's bytes under another shape.
bool is_view(const Node& node);

/// The layer that the node came from first, or its result where that is unknown.
std::string layer_name(const Graph& graph, const Node& node);

/// Ops, fields, types and sizes, and which kernel runs a group: equal for units that take the same time. Names and
/// numbers of weights are left out.
std::string key_of(const Unit& unit, const ComputeOptions& options);

}  // namespace seq
