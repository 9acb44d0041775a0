#pragma once

#include "engine/compile.hpp"
#include "engine/weight_store.hpp"
#include "graph/ir.hpp"

namespace seq {

/// The graph that plans are made from: computing in f32, after the passes asked for, and with all that depends
/// on weights alone evaluated.
Graph optimize(const Graph& graph, const CompileOptions& options, WeightStore& weights);

}  // namespace seq
