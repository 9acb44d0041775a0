#include "kernels/cpu/large_pages.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

using namespace seq;

namespace {

struct Piece {
    std::shared_ptr<void> memory;
    std::size_t bytes = 0;
    unsigned char mark = 0;

    bool holds(unsigned char value) const {
        const auto* data = static_cast<const unsigned char*>(memory.get());
        return std::all_of(data, data + bytes, [&](unsigned char byte) { return byte == value; });
    }
};

/// Takes, checks and gives back pieces of all sizes in no order.
void take_and_give(unsigned seed, bool& right) {
    std::mt19937 generator(seed);
    std::vector<Piece> pieces;
    right = true;
    for (unsigned round = 1; round <= 120; ++round) {
        const std::size_t bytes = (std::size_t{1} << generator() % 23) + generator() % 100;
        Piece piece{cpu::take_memory(bytes), bytes, static_cast<unsigned char>(round)};
        right = right && reinterpret_cast<std::uintptr_t>(piece.memory.get()) % 64 == 0 && piece.holds(0);
        std::fill_n(static_cast<unsigned char*>(piece.memory.get()), bytes, piece.mark);
        pieces.push_back(std::move(piece));
        while (pieces.size() > 12) {
            const auto given = pieces.begin() + static_cast<std::ptrdiff_t>(generator() % pieces.size());
            right = right && given->holds(given->mark);
            pieces.erase(given);
        }
    }
    for (const Piece& piece : pieces) right = right && piece.holds(piece.mark);
}

}  // namespace

TEST_CASE("memory that is taken is zero, aligned and nobody else's, whatever was given back meanwhile") {
    bool right[3] = {};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 3; ++i) threads.emplace_back([&right, i] { take_and_give(i + 1, right[i]); });
    for (std::thread& thread : threads) thread.join();
    for (const bool one : right) CHECK(one);
}

TEST_CASE("memory larger than a region is one piece") {
    const std::size_t bytes = (std::size_t{70} << 20) + 1;
    const Piece piece{cpu::take_memory(bytes), bytes};
    CHECK(piece.holds(0));
    CHECK(cpu::take_memory(0) != nullptr);
}
