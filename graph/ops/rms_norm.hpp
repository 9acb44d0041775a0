#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// y = x / sqrt(mean(x²) + eps) · weight, over the last dimensions: [..., normalized_shape...] -> the same.
/// A null eps is the dtype's machine epsilon.
struct RMSNorm {
    IntList normalized_shape{};
    std::optional<double> eps{};
    bool elementwise_affine = true;

    static constexpr std::string_view name = "RMSNorm";
    static constexpr std::string_view doc = "Divides by the root of the mean square of the last dimensions.";
    static void declare(FieldTable<RMSNorm>& table);
    void infer(InferContext& context);

    double eps_for(DType dtype) const;
};

}  // namespace seq::ops
