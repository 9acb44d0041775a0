#pragma once

#include "graph/op.hpp"

namespace seq::ops {

/// [..., C·r², H, W] -> [..., C, H·r, W·r] with r = upscale_factor: output (c, y, x) is input
/// (c·r² + (y mod r)·r + x mod r, y / r, x / r). Refused with shape/in-channels where r² does not divide the
/// channels.
struct PixelShuffle {
    std::int64_t upscale_factor = 1;

    static constexpr std::string_view name = "PixelShuffle";
    static constexpr std::string_view doc = "Lays channels out as blocks of pixels.";
    static void declare(FieldTable<PixelShuffle>& table);
    void infer(InferContext& context);
};

/// The inverse of PixelShuffle: [..., C, H·r, W·r] -> [..., C·r², H, W]. Refused with shape/reshape where r does not
/// divide the height or the width.
struct PixelUnshuffle {
    std::int64_t downscale_factor = 1;

    static constexpr std::string_view name = "PixelUnshuffle";
    static constexpr std::string_view doc = "Lays blocks of pixels out as channels.";
    static void declare(FieldTable<PixelUnshuffle>& table);
    void infer(InferContext& context);
};

/// [N, C, ...] with the channels, seen as [groups, C / groups], transposed. Refused with shape/groups where `groups`
/// does not divide the channels.
struct ChannelShuffle {
    std::int64_t groups = 1;

    static constexpr std::string_view name = "ChannelShuffle";
    static constexpr std::string_view doc = "Mixes the channels of groups.";
    static void declare(FieldTable<ChannelShuffle>& table);
    void infer(InferContext& context);
};

}  // namespace seq::ops
