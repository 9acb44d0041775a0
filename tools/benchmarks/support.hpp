#pragma once

#include <string>
#include <vector>

#include "graph/ir.hpp"

namespace seq::benchmarks {

/// The graph of a model without errors, given as JSON; throws seq::BuildError for any other.
Graph graph_of(const std::string& spec);

/// `count` times a convolution, a batch norm and a ReLU.
Graph chain(int count);

void register_kernels(const std::vector<int>& threads);
void register_passes();
void register_calls(const std::vector<int>& thread_counts);

}  // namespace seq::benchmarks
