#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// PyTorch's choice where no `dim` is given: 0 for ranks 0, 1 and 3, else 1.
int implicit_softmax_dim(int rank);

/// y = exp(x) / sum of exp(x) over `dim`; any shape -> the same.
struct Softmax {
    std::optional<std::int64_t> dim{};

    static constexpr std::string_view name = "Softmax";
    static constexpr std::string_view doc = "Turns the numbers along one dimension into shares that sum to 1.";
    static void declare(FieldTable<Softmax>& table);
    void infer(InferContext& context);
};

/// Softmax of -x.
struct Softmin {
    std::optional<std::int64_t> dim{};

    static constexpr std::string_view name = "Softmin";
    static constexpr std::string_view doc = "Softmax of the negated input.";
    static void declare(FieldTable<Softmin>& table);
    void infer(InferContext& context);
};

/// log(Softmax(x)), computed without overflow.
struct LogSoftmax {
    std::optional<std::int64_t> dim{};

    static constexpr std::string_view name = "LogSoftmax";
    static constexpr std::string_view doc = "The logarithm of Softmax.";
    static void declare(FieldTable<LogSoftmax>& table);
    void infer(InferContext& context);
};

/// Softmax over the channels of [N, C, H, W] or [C, H, W].
struct Softmax2d {
    static constexpr std::string_view name = "Softmax2d";
    static constexpr std::string_view doc = "Softmax over the channels of each pixel.";
    static void declare(FieldTable<Softmax2d>&) {}
    void infer(InferContext& context);
};

}  // namespace seq::ops
