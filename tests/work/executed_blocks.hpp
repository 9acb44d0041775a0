#pragma once

#include <cstdint>

namespace seq::test {

/// Basic blocks of what is built so, and its tests, that have run in this process so far. What libraries do (memcpy,
/// malloc) is not counted.
std::uint64_t executed_blocks();

}  // namespace seq::test
