#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace seq::plan_file {

/// A hash against damage, not against forgery: blocks of 1 MiB, each by eight interleaved lanes of xor, rotate and
/// multiply, and then the blocks' hashes in order. It depends on nothing but the bytes and `seed`; threads share the
/// work. Any change of a single word changes it.
std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed);

/// The same of bytes that come in pieces.
class Checksum {
   public:
    explicit Checksum(std::uint64_t seed) : seed_(seed) {}
    void add(std::span<const std::byte> bytes);
    std::uint64_t finish();

   private:
    void add_block();

    std::uint64_t seed_;
    std::size_t bytes_ = 0;
    std::vector<std::byte> block_;  ///< what has come of it
    std::vector<std::uint64_t> hashes_;
};

}  // namespace seq::plan_file
