#pragma once

#include <cstddef>
#include <vector>

namespace seq::nn {

/// The positions that Python's [start:stop:step] takes of `size` elements, in its order. Throws std::invalid_argument
/// for a step of 0.
std::vector<std::size_t> slice_positions(std::size_t size, std::ptrdiff_t start, std::ptrdiff_t stop,
                                         std::ptrdiff_t step);

/// Counts from the end where `index` is negative. Throws std::out_of_range, which names the `container`.
std::size_t index_position(std::size_t size, std::ptrdiff_t index, const char* container);

}  // namespace seq::nn
