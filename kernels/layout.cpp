#include "kernels/layout.hpp"

#include <algorithm>
#include <stdexcept>

#include "graph/checked.hpp"

namespace seq {

DType dtype_of(Kept kept) {
    switch (kept) {
        case Kept::own: break;
        case Kept::bf16: return DType::bf16;
        case Kept::f16: return DType::f16;
    }
    return DType::f32;
}

std::string Layout::to_string() const {
    std::string text = "plain";
    if (kind == LayoutKind::channels_last) text = "channels_last";
    if (kind == LayoutKind::blocked) text = "blocked" + std::to_string(block);
    return is_lowered() ? text.append(" ").append(name_of(dtype_of(kept_as))) : text;
}

Placed Placed::in(const Layout& other) const {
    const bool lowered = layout.is_lowered() && dtype == dtype_of(layout.kept_as);
    const DType own = lowered ? DType::f32 : dtype;
    return {own == DType::f32 ? dtype_of(other.kept_as) : own, sizes, other};
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
