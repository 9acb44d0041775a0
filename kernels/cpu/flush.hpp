#pragma once

#include <cstddef>

namespace seq::cpu {

/// Drops the bytes from all caches, so that the next to read them gets them from memory. Does nothing where the
/// processor has no such instruction.
void flush(const void* data, std::size_t bytes);

}  // namespace seq::cpu
