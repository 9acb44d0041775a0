#pragma once

#include <span>
#include <vector>

#include "frontend/lower.hpp"
#include "graph/infer.hpp"

namespace seq {

/// A type of the same rank whose dimensions, but for the first, are unknown.
TensorType unknown_like(const TensorType& type);

/// Whether a fault is about a dimension that is not known: a consequence of an earlier one.
bool concerns_unknown(const Fault& fault, const std::vector<Value*>& inputs);

/// The position of the first op that these inputs suit; 0 where none does.
int choose(std::span<const Op> ops, const std::vector<Value*>& inputs, const InferScope& scope);

/// What a layer would give if it had been declared right, as its fixes see it.
std::vector<TensorType> assumed_after_fault(const LoweredLayer& layer, const std::vector<Fault>& faults,
                                            const InferScope& scope);

/// Where the number that a fault is about was set by a field of an earlier layer, that layer may be the wrong one:
/// gives the values from there to `input` the other reading that they would have then, and returns them.
std::vector<Value*> doubt(Value* input, const Fault& fault, const InferScope& scope);

struct BrokenInference {
    std::vector<TensorType> outputs;
    std::vector<Fault> faults;
};

/// Infers a layer some of whose fields hold nothing usable: the dimensions that depend on these are unknown, and
/// the faults are those that do not.
BrokenInference infer_broken(const Op& op, const std::vector<const Field*>& broken, std::span<const TensorType> inputs,
                             const InferScope& scope);

}  // namespace seq
