#pragma once

#include <string>
#include <vector>

#include "graph/ir.hpp"

namespace seq {

/// Where a node's parameters and results do not have the types that its shape rule and those of its epilogue give.
std::vector<std::string> type_problems(const Graph& graph, const Node& node);

}  // namespace seq
