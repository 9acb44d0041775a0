#pragma once

#include "graph/ir.hpp"

namespace seq {

/// Refuses weights that lack a parameter of the graph, have it in another shape or in a dtype that does not convert, or
/// have a tensor that nothing uses: all of them at once, as a seq::BuildError. A shared layer's tensor may stand under
/// each of its names. Of a graph whose nodes do not name their layers only what lacks is said.
void require_weights(const Graph& graph, const WeightSource* weights);

}  // namespace seq
