#pragma once

#include "graph/op.hpp"

namespace seq::ops {

/// y = x Wᵀ + b over the last dimension: [..., in_features] -> [..., out_features].
struct Linear {
    std::optional<std::int64_t> in_features{};
    std::int64_t out_features = 0;
    bool bias = true;

    static constexpr std::string_view name = "Linear";
    static constexpr std::string_view doc = "Multiplies the last dimension by a matrix and adds a bias.";
    static void declare(FieldTable<Linear>& table);
    void infer(InferContext& context);
    Dim macs(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
};

}  // namespace seq::ops
