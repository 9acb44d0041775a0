#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// Means over windows chosen so that the output has a given size: [N, C, spatial...] -> [N, C, output_size...].
/// Window i covers [floor(i·in / out), ceil((i + 1)·in / out)). A size that is null_entry, or a null
/// output_size, keeps the input's.
template <int N>
struct AdaptiveAvgPool {
    IntList output_size{};

    static constexpr std::string_view name = by_rank<N>("AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d");
    static constexpr std::string_view doc = "Means over as many windows as the output has elements.";
    static void declare(FieldTable<AdaptiveAvgPool>& table);
    void infer(InferContext& context);
};

/// As AdaptiveAvgPool, with each window's largest element.
template <int N>
struct AdaptiveMaxPool {
    IntList output_size{};
    bool return_indices = false;

    static constexpr std::string_view name = by_rank<N>("AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d");
    static constexpr std::string_view doc = "The largest elements of as many windows as the output has elements.";
    static void declare(FieldTable<AdaptiveMaxPool>& table);
    void infer(InferContext& context);
};

using AdaptiveAvgPool1d = AdaptiveAvgPool<1>;
using AdaptiveAvgPool2d = AdaptiveAvgPool<2>;
using AdaptiveAvgPool3d = AdaptiveAvgPool<3>;
using AdaptiveMaxPool1d = AdaptiveMaxPool<1>;
using AdaptiveMaxPool2d = AdaptiveMaxPool<2>;
using AdaptiveMaxPool3d = AdaptiveMaxPool<3>;

extern template struct AdaptiveAvgPool<1>;
extern template struct AdaptiveAvgPool<2>;
extern template struct AdaptiveAvgPool<3>;
extern template struct AdaptiveMaxPool<1>;
extern template struct AdaptiveMaxPool<2>;
extern template struct AdaptiveMaxPool<3>;

}  // namespace seq::ops
