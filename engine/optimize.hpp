#pragma once

#include <memory>

#include "engine/compile.hpp"
#include "graph/ir.hpp"

namespace seq {

/// What plans are made from: a graph that computes in f32, and the weights that its parameters name.
struct OptimizedModel {
    Graph graph;
    std::shared_ptr<const WeightSource> weights;
};

/// Runs the passes asked for and moves what depends on weights alone into the weights, which compute it when it is
/// packed. Throws seq::Error spec/value where `options.passes` names a pass that is not there.
OptimizedModel optimize(const Graph& graph, const CompileOptions& options);

}  // namespace seq
