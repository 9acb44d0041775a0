#pragma once

#include "graph/ir.hpp"

namespace seqc {

/// For each symbol of the graph's inputs that `given` does not bind, the least value with which the model works,
/// given the others; its least value where none is found. Symbols that depend on each other are searched together.
seq::Bindings least_valid_values(const seq::Graph& graph, const seq::Bindings& given);

}  // namespace seqc
