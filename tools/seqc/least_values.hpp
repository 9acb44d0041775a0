#pragma once

#include <optional>
#include <set>
#include <string>

#include "graph/ir.hpp"

namespace seqc {

/// The symbols of the shapes of the graph's inputs.
std::set<std::string> input_symbols(const seq::Graph& graph);

/// For each symbol of the graph's inputs that `given` does not bind, the least value with which the model works.
/// Symbols that depend on each other are searched together, for values of which the largest is least. nullopt where
/// none are found.
std::optional<seq::Bindings> least_valid_values(const seq::Graph& graph, const seq::Bindings& given);

}  // namespace seqc
