#pragma once

#include <vector>

#include "frontend/lower.hpp"

namespace seq {

/// Adds the model's inputs to the graph, with the shapes and bindings of the options. A binding outside its symbol's
/// range is reported.
std::vector<Value*> add_inputs(const Definition& definition, const LowerOptions& options, Lowering& lowering);

}  // namespace seq
