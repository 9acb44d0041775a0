#pragma once

#include <array>
#include <optional>
#include <string>

#include "graph/op.hpp"

namespace seq::ops {

/// Resizes the spatial dimensions of [N, C, ...] to `size`, or by `scale_factor` with the result rounded down.
/// `mode`: "nearest" (1 to 3 spatial dimensions), "linear" (1), "bilinear" (2), "trilinear" (3). Source positions are
/// PyTorch's: half-pixel centres, or corner to corner with align_corners; with a scale_factor, unless
/// recompute_scale_factor, the given factor counts and not the ratio of the sizes. A symbol's size is exact for the
/// ratio that the factor is nearest to; a number's is rounded in double as in PyTorch, which for some is one less.
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

/// How any of the three computes, whatever its sizes.
struct UpsampleForm {
    /// Between the neighbours of the source position; otherwise the element at or before it.
    bool linear = false;
    bool align_corners = false;
    /// For each spatial dimension, the factor that source positions are computed with; nullopt: the ratio of the sizes.
    std::array<std::optional<double>, 3> scales{};
};

/// Which input position of spatial dimension `dim` a nearest upsampling of a value of `rank` dimensions copies from:
/// PyTorch's nearest_idx, which is in float for every type. Its shortcuts for pictures (rank 4) of the same and of
/// double size do not look at the factor.
std::int64_t nearest_source(const UpsampleForm& form, int rank, std::size_t dim, std::int64_t position, std::int64_t in,
                            std::int64_t out);

/// Where `op` is one of the three: its form.
std::optional<UpsampleForm> upsample_form(const Op& op);

}  // namespace seq::ops
