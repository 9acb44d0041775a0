#pragma once

#include <optional>

#include "graph/ir.hpp"

namespace seq::passes {

/// Whether the node does nothing but give its one input another shape.
bool is_view(const Node* node);

/// The Reshape that gives `to` from `from`, where its fields can say it: sizes that are expressions are kept in their
/// place, or one is what is left.
std::optional<Op> reshape_to(const Graph& graph, const Value* from, const TensorType& to);

/// Whether every use of `node`'s only result may read `value` instead: an output of the graph is given by a node, and
/// two outputs are two values.
bool may_bypass(const Graph& graph, const Node& node, const Value* value);

}  // namespace seq::passes
