#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/diagnostic.hpp"
#include "graph/shape.hpp"
#include "graph/tensor.hpp"

namespace seq {

/// A parameter that a model asks for, and the layer to name where it lacks.
struct NeededParameter {
    std::string name;
    TensorType type;
    std::string layer;
    std::string layer_type;
    SourceSpan where;
};

/// Names under which a shared layer's parameters are known besides the first, each with the name of the parameter:
/// {"again.weight", "enc.weight"}.
using ParameterAliases = std::map<std::string, std::string, std::less<>>;

struct WeightCheck {
    std::vector<Diagnostic> diagnostics;
    /// For each needed parameter the source's tensor; nullptr where there is none that fits.
    std::vector<const WeightSource::Entry*> entries;
};

/// Compares what a model needs with what a source has, all at once: weights/missing, weights/unexpected (but for
/// num_batches_tracked), weights/shape, weights/dtype (float dtypes convert into each other, others do not). A tensor
/// whose name is misspelled is one fault, a prefix that all names have or lack is one; of one that is unexpected
/// `actual` is its name. A shared layer's tensor may stand under any
/// of its names, under several where they are equal. A parameter whose type is the error type or is not static is
/// only looked up. Throws Error weights/file where a tensor cannot be read.
WeightCheck check_weights(std::span<const NeededParameter> needed, const WeightSource& source,
                          const ParameterAliases& aliases = {});

}  // namespace seq
