#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// y = x / (k + alpha · mean of x² over `size` neighbouring channels, with zeros beyond the ends)^beta, where
/// floor(size / 2) of the neighbours come before: [N, C, ...] of 3 dimensions or more -> the same.
struct LocalResponseNorm {
    std::int64_t size = 0;
    double alpha = 1e-4;
    double beta = 0.75;
    double k = 1.0;

    static constexpr std::string_view name = "LocalResponseNorm";
    static constexpr std::string_view doc = "Normalizes each element by its neighbours in other channels.";
    static void declare(FieldTable<LocalResponseNorm>& table);
    void infer(InferContext& context);
};

}  // namespace seq::ops
