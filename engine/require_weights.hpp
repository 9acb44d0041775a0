#pragma once

#include "graph/ir.hpp"

namespace seq {

/// Refuses weights that lack a parameter of the graph or have it in another shape or dtype that does not convert:
/// all of them at once, as a seq::BuildError.
void require_weights(const Graph& graph, const WeightSource* weights);

}  // namespace seq
