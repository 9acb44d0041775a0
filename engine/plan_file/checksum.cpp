#include "engine/plan_file/checksum.hpp"

#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

namespace seq::plan_file {
namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20;
constexpr std::size_t lanes = 8;
// The odd multipliers of xxHash64 (Yann Collet), for their bit patterns alone.
constexpr std::uint64_t multiplier = 0x9E3779B185EBCA87u;
constexpr std::uint64_t finisher = 0xC2B2AE3D27D4EB4Fu;

std::uint64_t word_at(const std::byte* bytes, std::size_t index) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + index * sizeof word, sizeof word);
    return word;
}

std::uint64_t mix(std::uint64_t state, std::uint64_t word) { return std::rotl(state ^ word, 29) * multiplier; }

std::uint64_t finish(std::uint64_t state) {
    state = (state ^ (state >> 33)) * finisher;
    return state ^ (state >> 29);
}

/// Written out, since a loop over an array of states would keep them in memory.
void absorb(std::uint64_t (&states)[lanes], const std::byte* bytes, std::size_t rounds) {
    auto [a, b, c, d, e, f, g, h] = states;
    for (; rounds > 0; --rounds, bytes += lanes * sizeof(std::uint64_t)) {
        a = mix(a, word_at(bytes, 0)), b = mix(b, word_at(bytes, 1));
        c = mix(c, word_at(bytes, 2)), d = mix(d, word_at(bytes, 3));
        e = mix(e, word_at(bytes, 4)), f = mix(f, word_at(bytes, 5));
        g = mix(g, word_at(bytes, 6)), h = mix(h, word_at(bytes, 7));
    }
    const std::uint64_t absorbed[] = {a, b, c, d, e, f, g, h};
    std::copy(std::begin(absorbed), std::end(absorbed), std::begin(states));
}

std::uint64_t hash_block(const std::byte* bytes, std::size_t count, std::uint64_t seed) {
    std::uint64_t states[lanes];
    for (std::size_t lane = 0; lane < lanes; ++lane) states[lane] = seed + (lane + 1) * finisher;
    std::uint64_t words[lanes]{};
    const std::size_t rounds = count / sizeof words;
    absorb(states, bytes, rounds);
    const std::size_t rest = count % sizeof words;
    if (rest > 0) {
        std::memcpy(words, bytes + rounds * sizeof words, rest);
        absorb(states, reinterpret_cast<const std::byte*>(words), 1);
    }
    std::uint64_t state = mix(seed, count);
    for (const std::uint64_t lane : states) state = mix(state, finish(lane));
    return finish(state);
}

std::uint64_t combine(const std::vector<std::uint64_t>& hashes, std::size_t bytes, std::uint64_t seed) {
    std::uint64_t state = mix(seed, bytes);
    for (const std::uint64_t hash : hashes) state = mix(state, hash);
    return finish(state);
}

}  // namespace

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed) {
    const std::size_t blocks = (bytes.size() + block_bytes - 1) / block_bytes;
    std::vector<std::uint64_t> hashes(blocks);
    oneapi::tbb::parallel_for(std::size_t{0}, blocks, [&](std::size_t block) {
        const auto part = bytes.subspan(block * block_bytes);
        hashes[block] = hash_block(part.data(), std::min(part.size(), block_bytes), seed + block);
    });
    return combine(hashes, bytes.size(), seed);
}

void Checksum::add(std::span<const std::byte> bytes) {
    bytes_ += bytes.size();
    while (!bytes.empty()) {
        const std::size_t count = std::min(bytes.size(), block_bytes - block_.size());
        block_.insert(block_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
        bytes = bytes.subspan(count);
        if (block_.size() == block_bytes) add_block();
    }
}

void Checksum::add_block() {
    hashes_.push_back(hash_block(block_.data(), block_.size(), seed_ + hashes_.size()));
    block_.clear();
}

std::uint64_t Checksum::finish() {
    if (!block_.empty()) add_block();
    return combine(hashes_, bytes_, seed_);
}

}  // namespace seq::plan_file
