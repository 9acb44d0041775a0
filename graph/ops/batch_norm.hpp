#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// y = (x - mean) / sqrt(variance + eps) · weight + bias for each channel, with the running statistics as they are at
/// inference: [N, C, spatial...] -> the same; for N = 1 also [N, C]. Without track_running_stats the statistics are
/// those of the batch (biased variance).
template <int N>
struct BatchNorm {
    std::optional<std::int64_t> num_features{};
    double eps = 1e-5;
    std::optional<double> momentum = 0.1;
    bool affine = true;
    bool track_running_stats = true;
    bool bias = true;

    static constexpr std::string_view name = by_rank<N>("BatchNorm1d", "BatchNorm2d", "BatchNorm3d");
    static constexpr std::string_view doc = "Normalizes each channel by its mean and variance.";
    static void declare(FieldTable<BatchNorm>& table);
    void infer(InferContext& context);
};

using BatchNorm1d = BatchNorm<1>;
using BatchNorm2d = BatchNorm<2>;
using BatchNorm3d = BatchNorm<3>;

extern template struct BatchNorm<1>;
extern template struct BatchNorm<2>;
extern template struct BatchNorm<3>;

}  // namespace seq::ops
