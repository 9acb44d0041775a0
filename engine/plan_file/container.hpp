#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/plan_file/mapped_file.hpp"

namespace seq::plan_file {

/// What a file consists of, in this order.
enum class Section : std::uint32_t {
    meta,   ///< JSON: see meta.hpp
    graph,  ///< the optimised graph, as graph/text.hpp prints it
    data,   ///< numbers, each tensor at a multiple of 64 bytes
};
constexpr std::size_t section_count = 3;
constexpr std::size_t alignment = 64;

/// The layout of the file's beginning, little-endian; the checksum is of all that follows it, sections and padding.
struct Header {
    std::array<char, 8> magic{};
    std::uint64_t checksum = 0;
    std::uint32_t format = 0;
    std::uint32_t sections = 0;
    std::uint64_t file_bytes = 0;
    struct Range {
        std::uint64_t offset = 0;
        std::uint64_t bytes = 0;
    };
    std::array<Range, section_count> ranges{};
};

/// Collects the data section, and writes the file.
class ContainerWriter {
   public:
    /// Returns the offset in the data section. The bytes must live until `write`.
    std::size_t add(std::span<const std::byte> bytes);
    /// Throws Error io/write.
    void write(const std::string& path, std::string_view meta, std::string_view graph) const;

   private:
    std::vector<std::span<const std::byte>> data_;
    std::size_t data_bytes_ = 0;
};

/// A file that was mapped and found whole.
class Container {
   public:
    /// Throws Error plan/file, plan/damaged (no plan, cut, or changed), plan/version (of another format).
    explicit Container(const std::string& path);

    std::span<const std::byte> bytes(Section section) const;
    std::string_view text(Section section) const;
    /// A part of the data section. Throws Error plan/damaged where it is not aligned or not inside.
    std::span<const std::byte> data(std::uint64_t offset, std::uint64_t bytes) const;
    /// What keeps the bytes mapped.
    const std::shared_ptr<const MappedFile>& owner() const { return file_; }

   private:
    std::shared_ptr<const MappedFile> file_;
    Header header_;
};

/// Whether the file begins as a plan does; false also where it cannot be read.
bool begins_as_plan(const std::string& path);

/// Error plan/damaged: what is wrong with the file, and that compiling again mends it.
[[noreturn]] void refuse_damaged(const std::string& path, std::string_view reason);

}  // namespace seq::plan_file
