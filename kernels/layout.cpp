#include "kernels/layout.hpp"

#include <algorithm>
#include <stdexcept>

#include "graph/checked.hpp"

namespace seq {

std::string Layout::to_string() const {
    const char* const kept_as = bf16 ? " bf16" : "";
    switch (kind) {
        case LayoutKind::plain: break;
        case LayoutKind::channels_last: return std::string("channels_last") + kept_as;
        case LayoutKind::blocked: return "blocked" + std::to_string(block) + kept_as;
    }
    return std::string("plain") + kept_as;
}

Placed Placed::in(const Layout& other) const {
    const bool lowered = layout.bf16 && dtype == DType::bf16;
    const DType own = lowered ? DType::f32 : dtype;
    return {other.bf16 && own == DType::f32 ? DType::bf16 : own, sizes, other};
}

std::int64_t Placed::byte_count() const {
    std::optional<std::int64_t> bytes = static_cast<std::int64_t>(size_of(dtype));
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        std::int64_t size = sizes[i];
        if (i == 1 && layout.kind == LayoutKind::blocked)
            size = (size + layout.block - 1) / layout.block * layout.block;
        bytes = bytes ? checked_mul(*bytes, size) : bytes;
    }
    if (!bytes) throw std::length_error("a value's byte count overflows");
    return *bytes;
}

namespace {

/// The simplest layout that has the same bytes.
Layout simplest(const Placed& placed) {
    Layout layout = placed.layout.order();
    const auto& sizes = placed.sizes;
    if (sizes.size() < 3) return layout;
    const bool one_pixel = std::all_of(sizes.begin() + 2, sizes.end(), [](std::int64_t size) { return size == 1; });
    if (layout.kind == LayoutKind::blocked && sizes[1] == layout.block) layout = Layout::channels_last();
    if (layout.kind == LayoutKind::blocked && one_pixel && sizes[1] % layout.block == 0) return Layout::plain();
    if (layout.kind == LayoutKind::channels_last && (one_pixel || sizes[1] == 1)) return Layout::plain();
    return layout;
}

}  // namespace

bool same_bytes(const Placed& a, const Placed& b) {
    return a.dtype == b.dtype && a.sizes == b.sizes && simplest(a) == simplest(b);
}

}  // namespace seq
