#pragma once

#include <map>

#include "kernels/cuda/cudnn/graph_spec.hpp"

namespace seq::tests {

/// Computes an operation graph with plain loops in f64, rounding what is written to the tensor's type. `pointers` has
/// every tensor that is not virtual; of a constant one, the number.
void run_graph(const cuda::GraphSpec& spec, const std::map<cuda::TensorId, void*>& pointers);

}  // namespace seq::tests
