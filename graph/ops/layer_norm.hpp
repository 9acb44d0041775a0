#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// y = (x - mean) / sqrt(variance + eps) · weight + bias, where mean and (biased) variance are those of the last
/// dimensions: [..., normalized_shape...] -> the same.
struct LayerNorm {
    IntList normalized_shape{};
    double eps = 1e-5;
    bool elementwise_affine = true;
    bool bias = true;

    static constexpr std::string_view name = "LayerNorm";
    static constexpr std::string_view doc = "Normalizes over the last dimensions.";
    static void declare(FieldTable<LayerNorm>& table);
    void infer(InferContext& context);
};

}  // namespace seq::ops
