#include "kernels/cpu/geometry.hpp"

#include <algorithm>
#include <cstring>

namespace seq::cpu {
namespace {

std::int64_t blocks_of(std::int64_t channels, std::int64_t block) { return (channels + block - 1) / block; }

/// Strides by logical dimension turned into strides by physical dimension of `layout`.
Sizes to_physical(const Sizes& logical, const Layout& layout) {
    if (layout.kind == LayoutKind::plain || logical.size() < 2) return logical;
    Sizes physical;
    physical.push_back(logical[0]);
    if (layout.kind == LayoutKind::blocked) physical.push_back(logical[1] * layout.block);
    physical.insert(physical.end(), logical.begin() + 2, logical.end());
    physical.push_back(logical[1]);
    return physical;
}

/// The strides of one walk over the physical dimensions of `placed` itself, 0 for those of size 1.
Sizes own_strides(const Placed& placed) {
    const Sizes sizes = physical_sizes(placed);
    Sizes strides = dense_strides(sizes);
    for (std::size_t i = 0; i < sizes.size(); ++i) strides[i] = sizes[i] == 1 ? 0 : strides[i];
    return strides;
}

}  // namespace

Sizes physical_sizes(const Placed& placed) {
    const Layout& layout = placed.layout;
    Sizes sizes = placed.sizes;
    if (layout.kind == LayoutKind::plain || sizes.size() < 2) return sizes;
    const std::int64_t channels = sizes[1];
    if (layout.kind == LayoutKind::channels_last) {
        sizes.erase(sizes.begin() + 1);
        sizes.push_back(channels);
    } else {
        sizes[1] = blocks_of(channels, layout.block);
        sizes.push_back(layout.block);
    }
    return sizes;
}

Sizes broadcast_strides(const Placed& placed, const Placed& target) {
    const std::size_t rank = target.sizes.size();
    const bool same_channels = placed.sizes.size() == rank && rank >= 2 && placed.sizes[1] == target.sizes[1];
    if (same_channels && placed.layout.order() == target.layout.order()) return own_strides(placed);
    if (placed.layout.kind != LayoutKind::plain) return {};
    const Sizes dense = dense_strides(placed.sizes);
    Sizes logical(rank, 0);
    for (std::size_t i = 0; i < placed.sizes.size(); ++i) {
        const std::size_t at = rank - placed.sizes.size() + i;
        if (placed.sizes[i] != 1) logical[at] = dense[i];
    }
    if (has_channel_tail(target) && logical[1] != 0) return {};
    return to_physical(logical, target.layout);
}

bool has_channel_tail(const Placed& placed) {
    return placed.layout.kind == LayoutKind::blocked && placed.sizes[1] % placed.layout.block != 0;
}

void clear_channel_tail(const Placed& placed, void* data) {
    if (!has_channel_tail(placed)) return;
    const std::int64_t block = placed.layout.block;
    const std::int64_t used = placed.sizes[1] % block;
    const std::int64_t pixels = product(std::span(placed.sizes).subspan(2));
    const std::int64_t blocks = blocks_of(placed.sizes[1], block);
    const auto element = static_cast<std::int64_t>(size_of(placed.dtype));
    for (std::int64_t n = 0; n < placed.sizes[0]; ++n) {
        auto* pixel = static_cast<std::byte*>(data) + (n * blocks + blocks - 1) * pixels * block * element;
        for (std::int64_t i = 0; i < pixels; ++i, pixel += block * element)
            std::fill(pixel + used * element, pixel + block * element, std::byte{0});
    }
}

}  // namespace seq::cpu
