#pragma once

#include <cstddef>

#include "engine/plan.hpp"

namespace seq {

/// Bytes of memory that this process may use: the machine's, or what a limit on it leaves.
std::size_t usable_memory();

// Each throws Error shape/limit, with the largest part named, where so much does not fit into `limit` bytes (0: into
// usable_memory()). They are asked before anything of that size is allocated.

/// All parameters.
void require_parameters_fit(const Graph& graph, std::size_t limit);
/// All parameters, inputs and results of a graph with bound sizes at once.
void require_values_fit(const Graph& graph, std::size_t limit);
/// Weights of so many bytes, and what a session of the plan adds to them.
void require_plan_fits(const Plan& plan, std::size_t weight_bytes, std::size_t limit);

}  // namespace seq
