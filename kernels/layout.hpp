#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/dtype.hpp"

namespace seq {

enum class LayoutKind : std::uint8_t {
    plain,          ///< row-major in the order of the dimensions
    channels_last,  ///< dimension 1 innermost: NHWC
    blocked,        ///< dimension 1 in blocks, the block innermost: nChw16c; the last block is padded with zeros
};

/// How the elements of an f32 value are kept: as f32, or rounded.
enum class Kept : std::uint8_t { own, bf16, f16 };
DType dtype_of(Kept kept);

/// How the elements of an activation lie in memory.
struct Layout {
    LayoutKind kind = LayoutKind::plain;
    int block = 1;
    Kept kept_as = Kept::own;

    static Layout plain() { return {}; }
    static Layout channels_last() { return {LayoutKind::channels_last, 1}; }
    static Layout blocked(int block) { return {LayoutKind::blocked, block}; }
    /// The same order of elements, kept in the value's own type or as is said.
    Layout order() const { return {kind, block}; }
    Layout kept(Kept as) const { return {kind, block, as}; }
    bool is_lowered() const { return kept_as != Kept::own; }
    bool is_plain_order() const { return kind == LayoutKind::plain; }
    bool operator==(const Layout&) const = default;
    /// "plain", "channels_last", "blocked16 bf16"
    std::string to_string() const;
};

/// A value as it lies in memory: its sizes are bound.
struct Placed {
    DType dtype = DType::f32;
    std::vector<std::int64_t> sizes;
    Layout layout;

    /// The same f32 value in another layout, which says what its dtype is there.
    Placed in(const Layout& other) const;
    /// Bytes including the padding of a blocked layout. Throws std::length_error on overflow.
    std::int64_t byte_count() const;
    bool operator==(const Placed&) const = default;
};

/// Whether the same value has the same bytes in both: where there is one pixel or one channel, say.
bool same_bytes(const Placed& a, const Placed& b);

}  // namespace seq
