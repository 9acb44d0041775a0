#pragma once

#include <optional>
#include <span>
#include <vector>

#include "graph/infer.hpp"

namespace seq {

/// The op with the idea's fields set; where the idea replaces the type, another op with those fields that both have.
/// nullopt where a field cannot hold what the idea says.
std::optional<Op> mend(const Op& op, const FixIdea& idea);

/// The layer that an idea inserts; nullopt where the idea inserts none.
std::optional<Op> inserted_op(const FixIdea& idea);

/// What the layer gives with the idea applied; nullopt where that leaves an error.
std::optional<std::vector<TensorType>> infer_mended(const Op& op, const FixIdea& idea,
                                                    std::span<const TensorType> inputs, const InferScope& scope);

}  // namespace seq
