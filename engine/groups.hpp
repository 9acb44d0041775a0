#pragma once

#include <vector>

#include "graph/ir.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// Nodes that a kernel would run as one.
struct Group {
    const GroupKernel* kernel = nullptr;
    std::vector<const Node*> nodes;
    /// As GroupRequest::values.
    std::vector<const Value*> values;
};

/// Disjoint groups, in order of their first nodes: for each node the first kernel that matches there. A match whose
/// inner values are used elsewhere is none.
std::vector<Group> find_groups(const Graph& graph, const GroupKernelList& kernels, const ComputeOptions& options);

}  // namespace seq
