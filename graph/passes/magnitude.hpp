#pragma once

#include "graph/pass.hpp"

// Whether factors are of a size with which f32 still computes: from 2^-64 to 2^64, so that a product of two is finite.
// What `numbers` does not know is taken to be so.
namespace seq::passes {

bool is_moderate(double factor);

/// Whether every element of `factors`, or of 1 / `factors`, is at most 2^64.
bool are_moderate(const Value& factors, bool inverse, const WeightLookup& numbers);

/// The same of weight / sqrt(running_var + eps) of a batch norm.
bool scales_moderately(const Node& norm, const WeightLookup& numbers);

}  // namespace seq::passes
