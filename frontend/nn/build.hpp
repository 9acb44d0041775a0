#pragma once

#include <source_location>
#include <vector>

#include "frontend/nn/sequential.hpp"

namespace seq {
struct Definition;
struct LayerDefinition;
}  // namespace seq

namespace seq::nn {

/// The place of a C++ line.
SourceSpan span_of(const std::source_location& location);

/// A definition with the inputs, ranges and outputs, and no layers yet. `where`: what asks for it.
Definition define_inputs(const std::vector<InputSpec>& inputs, const BuildOptions& options,
                         const std::source_location& where);

/// The children as a container's layers.
std::vector<LayerDefinition> child_definitions(const Sequential& sequence);

/// The checked graph. Throws seq::BuildError.
Graph build_graph(Definition definition);

}  // namespace seq::nn
