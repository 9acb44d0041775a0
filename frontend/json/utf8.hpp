#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace seq::json {

/// The offset of the first byte that is not part of a well-formed UTF-8 sequence; npos where there is none.
std::size_t find_invalid_utf8(std::string_view text);

/// `code_point` is at most 0x10FFFF and no surrogate.
void append_utf8(std::uint32_t code_point, std::string& out);

/// Code points in well-formed UTF-8.
std::size_t count_code_points(std::string_view text);

}  // namespace seq::json
