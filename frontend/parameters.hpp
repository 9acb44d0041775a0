#pragma once

#include <vector>

#include "frontend/weights/check.hpp"
#include "graph/ir.hpp"

namespace seq {

/// The parameters that a lowered model asks for, in order, each with the layer that has it.
std::vector<NeededParameter> needed_parameters(const Graph& graph);

/// The other names of parameters that layers share, as PyTorch repeats them in a state_dict.
ParameterAliases parameter_aliases(const Graph& graph);

}  // namespace seq
