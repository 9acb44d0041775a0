#pragma once

#include "kernels/kernel.hpp"

// For group kernels: their nodes as single kernels see them.
namespace seq::cpu {

/// A value of bound sizes, plain.
Placed plain(const Value& value);

/// The node by itself, all of whose operands are plain.
KernelRequest request_of(const Node& node, const ComputeOptions& options);

/// The node that alone uses the result of `node`, as its data input 0, and nullptr where there is none.
const Node* only_user(const Graph& graph, const Node& node);

/// The position of `value` in request.values, or -1.
int position_of(const GroupRequest& request, const Value& value);

}  // namespace seq::cpu
