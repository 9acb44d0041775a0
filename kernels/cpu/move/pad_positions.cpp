#include "kernels/cpu/move/pad_positions.hpp"

#include <algorithm>

namespace seq::cpu {
namespace {

std::int64_t padded_position(ops::PadMode mode, const ops::PadAmount& amount, std::int64_t position,
                             std::int64_t size) {
    const std::int64_t from = position - amount.before;
    const bool inside = from >= 0 && from < size;
    switch (mode) {
        case ops::PadMode::constant: return inside ? from : -1;
        case ops::PadMode::reflect: return inside ? from : from < 0 ? -from : 2 * (size - 1) - from;
        case ops::PadMode::replicate: return std::clamp<std::int64_t>(from, 0, size - 1);
        case ops::PadMode::circular: break;
    }
    // What is cropped off does not come back round.
    const std::int64_t first = std::max<std::int64_t>(-amount.before, 0);
    const std::int64_t period = size - first - std::max<std::int64_t>(-amount.after, 0);
    return first + (from - first + period) % period;
}

}  // namespace

PositionMap padded_positions(ops::PadMode mode, const ops::PadAmount& amount, std::int64_t size) {
    PositionMap map(static_cast<std::size_t>(size + amount.before + amount.after));
    for (std::size_t i = 0; i < map.size(); ++i)
        map[i] = padded_position(mode, amount, static_cast<std::int64_t>(i), size);
    return map;
}

}  // namespace seq::cpu
