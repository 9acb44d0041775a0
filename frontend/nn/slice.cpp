#include "frontend/nn/slice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace seq::nn {

std::vector<std::size_t> slice_positions(std::size_t size, std::ptrdiff_t start, std::ptrdiff_t stop,
                                         std::ptrdiff_t step) {
    if (step == 0) throw std::invalid_argument("a slice's step is not 0");
    const auto count = static_cast<std::ptrdiff_t>(size);
    const auto clamp = [&](std::ptrdiff_t index) {
        if (index < 0) index += count;
        return std::clamp<std::ptrdiff_t>(index, step > 0 ? 0 : -1, step > 0 ? count : count - 1);
    };
    // Past the ends a larger step takes no more elements.
    const std::ptrdiff_t stride = std::clamp(step, -count - 1, count + 1);
    const std::ptrdiff_t end = clamp(stop);
    std::vector<std::size_t> positions;
    for (std::ptrdiff_t i = clamp(start); stride > 0 ? i < end : i > end; i += stride)
        positions.push_back(static_cast<std::size_t>(i));
    return positions;
}

std::size_t index_position(std::size_t size, std::ptrdiff_t index, const char* container) {
    const auto count = static_cast<std::ptrdiff_t>(size);
    const std::ptrdiff_t position = index < 0 ? index + count : index;
    if (position < 0 || position >= count)
        throw std::out_of_range(fmt::format("index {} is outside a {} of {} layers", index, container, count));
    return static_cast<std::size_t>(position);
}

}  // namespace seq::nn
