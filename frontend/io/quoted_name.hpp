#pragma once

#include <string>
#include <string_view>

namespace seq {

/// True where `text` is UTF-8 without overlong forms and surrogates.
bool is_utf8(std::string_view text);

/// A name out of a file, in back quotes, for a message: always valid UTF-8 in one line, shortened where it is long;
/// control characters and what is not UTF-8 appear as \xNN.
std::string quoted_name(std::string_view name);

}  // namespace seq
