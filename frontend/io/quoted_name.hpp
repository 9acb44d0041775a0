#pragma once

#include <string>
#include <string_view>

namespace seq {

/// A name out of a file, in back quotes, for a message: always valid UTF-8 in one line, shortened where it is long;
/// control characters and what is not UTF-8 appear as \xNN.
std::string quoted_name(std::string_view name);

}  // namespace seq
