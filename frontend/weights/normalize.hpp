#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "graph/tensor.hpp"

namespace seq {

/// The bytes that the entry's elements take; its product is known not to overflow.
std::uint64_t byte_count_of(const WeightSource::Entry& entry);

/// Throws std::invalid_argument where `given` is not what the entry takes.
void check_byte_count(const WeightSource::Entry& entry, std::size_t given);

/// Makes every byte of a bool tensor 0 or 1, as C++ asks; leaves the other dtypes as they are.
void normalize_elements(DType dtype, std::span<std::byte> bytes);

}  // namespace seq
