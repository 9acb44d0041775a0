#pragma once

#include <cstddef>

#include "engine/plan.hpp"

namespace seq {

// Each throws Error shape/limit, with the largest part named, where so much does not fit into `limit` bytes (0: into
// usable_memory()). They are asked before anything of that size is allocated.

/// All parameters, each once. What kernels make of them, and need beside them, is known when they are chosen: it is
/// claimed of a MemoryBudget then.
void require_parameters_fit(const Graph& graph, std::size_t limit);
/// All parameters, inputs and results of a graph with bound sizes at once.
void require_values_fit(const Graph& graph, std::size_t limit);
/// Weights of so many bytes, and what a session of the plan adds to them.
void require_plan_fits(const Plan& plan, std::size_t weight_bytes, std::size_t limit);

}  // namespace seq
