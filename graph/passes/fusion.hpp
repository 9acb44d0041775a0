#pragma once

#include <vector>

#include "graph/ir.hpp"

namespace seq::passes {

/// Whether a node may have (further) ops in its epilogue: it computes floats that kernels hand on while they have them.
bool takes_epilogue(const Node& node);

/// Whether `op` applied to one value, its parameters aside, is a function of each element that every kernel knows:
/// PReLU, and the built-in ops of one value whose trait is `elementwise`.
bool is_activation(const Op& op);

/// Whether min and max commute with it: it never falls, and NaN stays NaN.
bool is_monotone(const Op& op);

/// Replaces `last`, whose input `host` alone gives, by `host` with `posts` and the epilogue of `last` appended.
Node* fuse(Graph& graph, Node* host, Node* last, std::vector<PostOpSpec> posts);

}  // namespace seq::passes
