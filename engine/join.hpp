#pragma once

#include "graph/ir.hpp"
#include "kernels/layout.hpp"

namespace seq {

/// Whether the node joins values that, all in `layout`, lie one after the other in its result, so that they can be
/// written there to begin with. Not for results that are the graph's outputs, which have memory of their own.
bool is_side_by_side(const Node& node, const Layout& layout);

}  // namespace seq
