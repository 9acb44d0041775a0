#pragma once

#include <cstdint>
#include <optional>

#include "graph/ir.hpp"

namespace seq {

/// The number of samples, which is dimension 0 of every value, where what each gives does not depend on the others.
/// nullopt where they are mixed, or where it is not certain (ops of the user's own). Sizes must be bound.
std::optional<std::int64_t> independent_samples(const Graph& graph);

/// The same model for another number of samples; nullopt where something other than dimension 0 would differ. Only for
/// graphs of independent samples.
std::optional<Graph> with_samples(const Graph& graph, std::int64_t samples);

}  // namespace seq
