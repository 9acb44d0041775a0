#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "graph/ir.hpp"

namespace seq {

/// The number of samples, which is dimension 0 of every value, where what each gives does not depend on the others.
/// nullopt where they are mixed, or where it is not certain (ops of the user's own). Sizes must be bound.
std::optional<std::int64_t> independent_samples(const Graph& graph);

/// The same model for another number of samples; nullopt where something other than dimension 0 would differ. Only for
/// graphs of independent samples.
std::optional<Graph> with_samples(const Graph& graph, std::int64_t samples);

/// After how many nodes, in the graph's order, all that is still to be used is what the last of them gives (f32),
/// besides inputs and weights. Ascending; without 0 and without all nodes.
std::vector<std::size_t> cuts_of(const Graph& graph);

/// The model of the first `nodes` nodes, which gives what the last of them does; `nodes` is one of cuts_of(graph).
Graph head_of(const Graph& graph, std::size_t nodes);

}  // namespace seq
