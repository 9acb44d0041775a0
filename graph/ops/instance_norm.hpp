#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// y = (x - mean) / sqrt(variance + eps) · weight + bias, where mean and (biased) variance are those of each channel of
/// each sample, or with track_running_stats the running ones: [N, C, spatial...] -> the same.
template <int N>
struct InstanceNorm {
    std::optional<std::int64_t> num_features{};
    double eps = 1e-5;
    std::optional<double> momentum = 0.1;
    bool affine = false;
    bool track_running_stats = false;
    bool bias = true;

    static constexpr std::string_view name = by_rank<N>("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d");
    static constexpr std::string_view doc = "Normalizes each channel of each sample by its mean and variance.";
    static void declare(FieldTable<InstanceNorm>& table);
    void infer(InferContext& context);
};

using InstanceNorm1d = InstanceNorm<1>;
using InstanceNorm2d = InstanceNorm<2>;
using InstanceNorm3d = InstanceNorm<3>;

extern template struct InstanceNorm<1>;
extern template struct InstanceNorm<2>;
extern template struct InstanceNorm<3>;

}  // namespace seq::ops
