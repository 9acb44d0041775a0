#include "frontend/io/quoted_name.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace seq {
namespace {

constexpr std::size_t longest = 120;

std::uint8_t byte_at(std::string_view text, std::size_t i) { return static_cast<std::uint8_t>(text[i]); }

bool is_continuation(std::uint8_t byte) { return (byte & 0xc0) == 0x80; }

/// The length of the UTF-8 sequence at `i`; 0 where there is none.
std::size_t sequence_length(std::string_view text, std::size_t i) {
    const std::uint8_t lead = byte_at(text, i);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xc2 && lead < 0xe0   ? 2
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xf0 && lead < 0xf5 ? 4
                                                             : 0;
    if (length == 0 || text.size() - i < length) return 0;
    for (std::size_t k = 1; k < length; ++k) {
        if (!is_continuation(byte_at(text, i + k))) return 0;
    }
    const std::uint8_t second = byte_at(text, i + 1);
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool beyond = (lead == 0xed && second >= 0xa0) || (lead == 0xf4 && second >= 0x90);
    return overlong || beyond ? 0 : length;
}

}  // namespace

std::string quoted_name(std::string_view name) {
    std::string text = "`";
    for (std::size_t i = 0; i < name.size();) {
        if (i >= longest) {
            text += "…";
            break;
        }
        const std::size_t length = sequence_length(name, i);
        const std::uint8_t byte = byte_at(name, i);
        if (length == 0 || byte < 0x20 || byte == 0x7f) {
            text += fmt::format("\\x{:02x}", byte);
            ++i;
        } else {
            text += name.substr(i, length);
            i += length;
        }
    }
    return text + "`";
}

}  // namespace seq
