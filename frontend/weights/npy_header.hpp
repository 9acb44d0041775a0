#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/io/byte_source.hpp"
#include "graph/dtype.hpp"

namespace seq {

/// What the head of a .npy file says (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
struct NpyHeader {
    DType dtype = DType::f32;
    bool big_endian = false;
    bool fortran_order = false;
    std::vector<std::int64_t> sizes;
    /// Bytes of the elements that follow.
    std::uint64_t payload = 0;
    /// Bytes of the head itself.
    std::uint64_t length = 0;
};

inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// Reads a head of version 1, 2 or 3 and leaves the stream at the elements. Throws Error io/format: it is longer than
/// 65,536 bytes, its dict has other keys than the three, the dtype is not one of DType's, as objects are not, or a
/// size is too large.
NpyHeader read_npy_header(ByteStream& stream);

/// The head of a version 1.0 file of row-major little-endian elements, padded to 64 bytes. bf16, which the format does
/// not know, must have been converted to f32.
std::string npy_header_text(DType dtype, std::span<const std::int64_t> sizes);

}  // namespace seq
