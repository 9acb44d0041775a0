#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// The largest element of each window: [N, C, spatial...] -> [N, C, spatial'...]; padding never wins.
template <int N>
struct MaxPool {
    IntList kernel_size{};
    IntList stride{};
    IntList padding = 0;
    IntList dilation = 1;
    bool return_indices = false;
    bool ceil_mode = false;

    static constexpr std::string_view name = by_rank<N>("MaxPool1d", "MaxPool2d", "MaxPool3d");
    static constexpr std::string_view doc = "The largest element of each window.";
    static void declare(FieldTable<MaxPool>& table);
    void infer(InferContext& context);
    Window window(int i) const;
    /// Whether a window may have padding alone, where the input is small: its largest element is -Inf.
    bool may_miss() const;
};

/// The type of a field that the one-dimensional member of a family lacks.
struct NoField {
    bool operator==(const NoField&) const = default;
};

/// The mean of each window: [N, C, spatial...] -> [N, C, spatial'...].
template <int N>
struct AvgPool {
    IntList kernel_size{};
    IntList stride{};
    IntList padding = 0;
    bool ceil_mode = false;
    bool count_include_pad = true;
    std::conditional_t<(N > 1), std::optional<std::int64_t>, NoField> divisor_override{};

    static constexpr std::string_view name = by_rank<N>("AvgPool1d", "AvgPool2d", "AvgPool3d");
    static constexpr std::string_view doc = "The mean of each window.";
    static void declare(FieldTable<AvgPool>& table);
    void infer(InferContext& context);
    Window window(int i) const;
    /// What each window's sum is divided by, where that is not the number of its elements.
    std::optional<std::int64_t> divisor() const;
};

/// The p-norm of each window, sum(x^p)^(1/p): [N, C, spatial...] -> [N, C, spatial'...]. A window that reaches past the
/// end counts for a whole one: its sum is scaled by kernel elements over elements within.
template <int N>
struct LPPool {
    double norm_type = 2.0;
    IntList kernel_size{};
    IntList stride{};
    bool ceil_mode = false;

    static constexpr std::string_view name = by_rank<N>("LPPool1d", "LPPool2d", "LPPool3d");
    static constexpr std::string_view doc = "The p-norm of each window.";
    static void declare(FieldTable<LPPool>& table);
    void infer(InferContext& context);
    Window window(int i) const;
};

using MaxPool1d = MaxPool<1>;
using MaxPool2d = MaxPool<2>;
using MaxPool3d = MaxPool<3>;
using AvgPool1d = AvgPool<1>;
using AvgPool2d = AvgPool<2>;
using AvgPool3d = AvgPool<3>;
using LPPool1d = LPPool<1>;
using LPPool2d = LPPool<2>;
using LPPool3d = LPPool<3>;

/// MaxPool::may_miss; false for all other ops.
bool windows_may_miss(const Op& op);

extern template struct MaxPool<1>;
extern template struct MaxPool<2>;
extern template struct MaxPool<3>;
extern template struct AvgPool<1>;
extern template struct AvgPool<2>;
extern template struct AvgPool<3>;
extern template struct LPPool<1>;
extern template struct LPPool<2>;
extern template struct LPPool<3>;

}  // namespace seq::ops
