#pragma once

#include "graph/op.hpp"

namespace seq::ops {

/// PyTorch's matmul: [..., M, K] × [..., K, P] -> [..., M, P], the leading dimensions broadcast. A vector on the left
/// is a row, one on the right a column, and that dimension is left out of the result. Refused with shape/in-features
/// where the K differ, and with shape/broadcast where the leading dimensions do not fit.
struct MatMul {
    static constexpr std::string_view name = "MatMul";
    static constexpr std::string_view doc = "The matrix product of two inputs.";
    static constexpr Arity arity{2, 2};
    static void declare(FieldTable<MatMul>& table);
    void infer(InferContext& context);
    Dim macs(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
};

}  // namespace seq::ops
