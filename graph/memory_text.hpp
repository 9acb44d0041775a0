#pragma once

#include <cstddef>
#include <string>

namespace seq {

/// "3.1 GiB"
std::string memory_text(std::size_t bytes);

}  // namespace seq
