#include "kernels/layout.hpp"

#include <stdexcept>

#include "graph/checked.hpp"

namespace seq {

std::string Layout::to_string() const {
    switch (kind) {
        case LayoutKind::plain: return "plain";
        case LayoutKind::channels_last: return "channels_last";
        case LayoutKind::blocked: return "blocked" + std::to_string(block);
    }
    return "plain";
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

}  // namespace seq
