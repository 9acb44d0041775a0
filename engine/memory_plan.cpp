#include "engine/memory_plan.hpp"

#include <algorithm>
#include <numeric>

namespace seq {
namespace {

std::size_t aligned(std::size_t bytes) { return (bytes + arena_alignment - 1) / arena_alignment * arena_alignment; }

bool overlap_in_time(const BufferLife& a, const BufferLife& b) { return a.first <= b.last && b.first <= a.last; }

}  // namespace

MemoryPlan plan_memory(const std::vector<BufferLife>& buffers) {
    std::vector<std::size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return buffers[a].bytes > buffers[b].bytes; });

    MemoryPlan plan;
    plan.offsets.resize(buffers.size());
    std::vector<std::size_t> placed;  // by offset
    for (const std::size_t current : order) {
        const std::size_t bytes = aligned(buffers[current].bytes);
        std::size_t offset = 0;
        for (const std::size_t other : placed) {
            if (!overlap_in_time(buffers[current], buffers[other])) continue;
            if (offset + bytes <= plan.offsets[other]) break;
            offset = std::max(offset, plan.offsets[other] + aligned(buffers[other].bytes));
        }
        plan.offsets[current] = offset;
        plan.arena_bytes = std::max(plan.arena_bytes, offset + bytes);
        const auto position =
            std::upper_bound(placed.begin(), placed.end(), offset,
                             [&](std::size_t value, std::size_t index) { return value < plan.offsets[index]; });
        placed.insert(position, current);
    }
    return plan;
}

}  // namespace seq
