#pragma once

#include <span>
#include <vector>

#include "frontend/lower.hpp"
#include "graph/infer.hpp"

namespace seq {

/// A type of the same rank whose dimensions, but for the batch, are unknown.
TensorType unknown_like(const TensorType& type);

/// Whether a fault is about sizes that are not known: a consequence of an earlier one.
bool concerns_unknown(const Fault& fault, const std::vector<Value*>& inputs);

/// The position of the first op that these inputs suit; 0 where none does.
int choose(std::span<const Op> ops, const std::vector<Value*>& inputs, const InferScope& scope);

/// What a layer gives as far as it is known. Where it is not, the error type stands for any type.
struct Assumption {
    std::vector<TensorType> outputs;
    std::optional<TensorType> alternative;
};

/// What a layer would give if it had been declared right, as its fixes see it, or else if its input were right.
Assumption assumed_after_fault(const LoweredLayer& layer, const std::vector<Fault>& faults, const InferScope& scope);

struct BrokenInference {
    Assumption given;
    std::vector<Fault> faults;
};

/// Infers a layer some of whose fields hold nothing usable: the dimensions that depend on these are unknown, and
/// the faults are those that do not.
BrokenInference infer_broken(const Op& op, const std::vector<const Field*>& broken, const std::vector<Value*>& inputs,
                             const InferScope& scope);

}  // namespace seq
