#include "kernels/cuda/own/move.hpp"

#include <algorithm>

#include "kernels/cuda/own/move_walk.hpp"

namespace seq::cuda::own {
namespace {

constexpr std::int64_t largest_element = 16;

/// Whether two elements that follow each other can be one of twice the size.
bool can_widen(const Move& move) {
    if (move.bytes >= largest_element || move.sizes.back() % 2 != 0) return false;
    const auto pairs = [](const Sizes& strides, std::int64_t offset) {
        return strides.back() == 1 && offset % 2 == 0 &&
               std::all_of(strides.begin(), strides.end() - 1, [](std::int64_t stride) { return stride % 2 == 0; });
    };
    return pairs(move.from, move.from_offset) && pairs(move.to, move.to_offset);
}

bool is_aligned(const void* data, std::int64_t bytes) {
    return reinterpret_cast<std::uintptr_t>(data) % static_cast<std::uintptr_t>(bytes) == 0;
}

/// Strides of elements as such of elements that are `factor` times smaller; the innermost one is 1 on both sides.
Strides narrowed(const Sizes& strides, std::int64_t factor) {
    Strides result = strides_for(strides);
    for (std::size_t d = 0; d + 1 < strides.size(); ++d) result.of[d] *= factor;
    return result;
}

}  // namespace

Move simplified(Move move) {
    const LoopNest nest = merge_loops(move.sizes, {move.from, move.to});
    move.sizes = nest.sizes;
    move.from = nest.strides[0];
    move.to = nest.strides[1];
    while (can_widen(move)) {
        const auto halve = [](Sizes& strides) {
            std::for_each(strides.begin(), strides.end() - 1, [](std::int64_t& stride) { stride /= 2; });
        };
        halve(move.from);
        halve(move.to);
        move.sizes.back() /= 2;
        move.from_offset /= 2;
        move.to_offset /= 2;
        move.bytes *= 2;
    }
    return move;
}

void launch_move(DeviceQueue& queue, const Move& move, const void* source, void* target) {
    MoveWalk walk;
    std::int64_t factor = 1;
    while (factor < move.bytes && !(is_aligned(source, move.bytes / factor) && is_aligned(target, move.bytes / factor)))
        factor *= 2;
    const std::int64_t count = product(move.sizes) * factor;
    walk.bytes = static_cast<int>(move.bytes / factor);
    walk.space = space_of(move.sizes);
    for (std::size_t d = 0; d < move.sizes.size(); ++d)
        walk.space.sizes[d] = divisor(d + 1 == move.sizes.size() ? move.sizes[d] * factor : move.sizes[d], count);
    walk.from = factor == 1 ? strides_for(move.from) : narrowed(move.from, factor);
    walk.to = factor == 1 ? strides_for(move.to) : narrowed(move.to, factor);
    walk.source = static_cast<const std::byte*>(source) + move.from_offset * move.bytes;
    walk.target = static_cast<std::byte*>(target) + move.to_offset * move.bytes;
    launch_walk(queue, walk, count);
}

}  // namespace seq::cuda::own
