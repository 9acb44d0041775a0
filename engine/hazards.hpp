#pragma once

#include "graph/pass.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// What `weights` can tell of parameters and constants, for as long as it lives.
WeightLookup known_numbers(WeightProvider& weights);

/// Whether a node of a bound graph may make NaN or Inf of ordinary numbers: it divides by what may be zero, scales by
/// what is not moderate, fills with it, limits to it, or takes the largest of no numbers.
bool may_leave_range(const Graph& graph, const WeightLookup& numbers);

}  // namespace seq
