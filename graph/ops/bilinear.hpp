#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// y_k = x1ᵀ W_k x2 + b_k over the last dimensions: [..., in1_features] and [..., in2_features] -> [..., out_features];
/// all other dimensions are equal.
struct Bilinear {
    std::int64_t in1_features = 0;
    std::int64_t in2_features = 0;
    std::int64_t out_features = 0;
    bool bias = true;

    static constexpr std::string_view name = "Bilinear";
    static constexpr std::string_view doc = "A bilinear form of two inputs for each output feature.";
    static constexpr Arity arity{2, 2};
    static void declare(FieldTable<Bilinear>& table);
    void infer(InferContext& context);
    Dim macs(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
};

}  // namespace seq::ops
