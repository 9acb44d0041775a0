#pragma once

#include <optional>
#include <span>
#include <vector>

#include "graph/op.hpp"

namespace seq {

/// The ranges of a graph's symbols and which of them the user gave; what inference needs beside the types.
struct InferScope {
    const SymbolRanges& ranges;
    const BoundedSymbols& bounded;
    /// The most bytes that one value may take; more is shape/limit.
    std::int64_t value_limit = std::int64_t{1} << 40;
};

/// What a shape rule found, its outputs complete: as many as the op gives, the error type where it gave none.
struct Inference {
    Op op;  ///< with its inferred fields resolved
    std::vector<TensorType> outputs;
    std::optional<TensorType> alternative;
    std::vector<ParameterSpec> parameters;
    std::vector<Fault> faults;
    std::vector<Condition> conditions;
    std::vector<std::pair<int, std::string>> formulas;

    bool has_error() const { return error_count() > 0; }
    std::size_t error_count() const;
};

/// Applies the op's shape rule to inputs of these types. An input of the error type silences the rule.
Inference infer(Op op, std::span<const TensorType> inputs, const InferScope& scope, bool explaining = false);

/// The same without a look at what else may have been meant where the rule refuses the inputs' rank or dtype.
Inference infer_as_declared(Op op, std::span<const TensorType> inputs, const InferScope& scope,
                            bool explaining = false);

/// The same where inputs of the error type stand for values of any rank, dtype and sizes: what holds for all that the
/// op takes. Where the output's rank depends on theirs, the likeliest one is given and the alternative is the error
/// type.
Inference infer_open(const Op& op, std::span<const TensorType> inputs, const InferScope& scope);

/// The same where the inputs have a second reading, `others` (empty: none), which counts where fewer faults are left
/// by it. Where both do, the output has two readings as well.
Inference infer_either(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> others,
                       const InferScope& scope);

}  // namespace seq
