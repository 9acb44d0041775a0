#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// y = (x - mean) / sqrt(variance + eps) · weight + bias, where mean and (biased) variance are those of each group of
/// channels of each sample: [N, C, ...] -> the same; weight and bias are one a channel.
struct GroupNorm {
    std::int64_t num_groups = 0;
    std::int64_t num_channels = 0;
    double eps = 1e-5;
    bool affine = true;
    bool bias = true;

    static constexpr std::string_view name = "GroupNorm";
    static constexpr std::string_view doc = "Normalizes each group of channels of each sample.";
    static void declare(FieldTable<GroupNorm>& table);
    void infer(InferContext& context);
};

}  // namespace seq::ops
