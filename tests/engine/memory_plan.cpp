#include "engine/memory_plan.hpp"

#include <doctest/doctest.h>

#include <random>

namespace seq {
namespace {

bool overlap(const BufferLife& a, std::size_t a_offset, const BufferLife& b, std::size_t b_offset) {
    const bool in_time = a.first <= b.last && b.first <= a.last;
    return in_time && a.bytes > 0 && b.bytes > 0 && a_offset < b_offset + b.bytes && b_offset < a_offset + a.bytes;
}

TEST_CASE("buffers that live at the same time do not overlap, and the arena holds them all") {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        std::vector<BufferLife> buffers(1 + random() % 40);
        for (BufferLife& buffer : buffers) {
            buffer.bytes = random() % 5000;
            buffer.first = static_cast<int>(random() % 30);
            buffer.last = buffer.first + static_cast<int>(random() % 8);
        }
        const MemoryPlan plan = plan_memory(buffers);
        for (std::size_t a = 0; a < buffers.size(); ++a) {
            REQUIRE(plan.offsets[a] % arena_alignment == 0);
            REQUIRE(plan.offsets[a] + buffers[a].bytes <= plan.arena_bytes);
            for (std::size_t b = a + 1; b < buffers.size(); ++b)
                REQUIRE_FALSE(overlap(buffers[a], plan.offsets[a], buffers[b], plan.offsets[b]));
        }
    }
}

TEST_CASE("a chain needs room for two neighbours, not for all") {
    std::vector<BufferLife> chain;
    for (int i = 0; i < 50; ++i) chain.push_back({4096, i, i + 1});
    CHECK(plan_memory(chain).arena_bytes == 2 * 4096);
}

TEST_CASE("no buffers need no arena") { CHECK(plan_memory({}).arena_bytes == 0); }

}  // namespace
}  // namespace seq
