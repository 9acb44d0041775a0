#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/op.hpp"

namespace seq::ops {

/// Resizes the spatial dimensions of [N, C, ...] to `size`, or by `scale_factor` with the result rounded down.
/// `mode`: "nearest" (1 to 3 spatial dimensions), "linear" (1), "bilinear" (2), "trilinear" (3). Source positions are
/// PyTorch's: half-pixel centres, or corner to corner with align_corners; with a scale_factor, unless
/// recompute_scale_factor, the given factor counts and not the ratio of the sizes.
struct Upsample {
    IntList size{};
    NumberList scale_factor{};
    std::string mode = "nearest";
    std::optional<bool> align_corners{};
    std::optional<bool> recompute_scale_factor{};

    static constexpr std::string_view name = "Upsample";
    static constexpr std::string_view doc = "Resizes the spatial dimensions.";
    static void declare(FieldTable<Upsample>& table);
    void infer(InferContext& context);

    bool corners_aligned() const { return align_corners.value_or(false); }
    /// The factor that source positions are computed with in spatial dimension `i`; nullopt: the ratio of the sizes.
    std::optional<double> position_scale(int i) const;
};

/// Upsample with mode "nearest" for [N, C, H, W].
struct UpsamplingNearest2d {
    IntList size{};
    NumberList scale_factor{};

    static constexpr std::string_view name = "UpsamplingNearest2d";
    static constexpr std::string_view doc = "Resizes pictures by repeating pixels.";
    static void declare(FieldTable<UpsamplingNearest2d>& table);
    void infer(InferContext& context);
};

/// Upsample with mode "bilinear" and align_corners for [N, C, H, W].
struct UpsamplingBilinear2d {
    IntList size{};
    NumberList scale_factor{};

    static constexpr std::string_view name = "UpsamplingBilinear2d";
    static constexpr std::string_view doc = "Resizes pictures linearly, corners on corners.";
    static void declare(FieldTable<UpsamplingBilinear2d>& table);
    void infer(InferContext& context);
};

/// Where `op` is one of the three: the Upsample that does the same.
std::optional<Upsample> upsample_form(const Op& op);

}  // namespace seq::ops
