#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "frontend/io/descriptor.hpp"

namespace seq {

/// Writes a file whole or not at all: what is written goes to a file beside it, which commit() renames into place.
/// "-" (standard output), pipes and devices are written directly. A symbolic link is followed. A closed pipe is an
/// error, never SIGPIPE. All members throw Error io/write.
class AtomicFile {
   public:
    explicit AtomicFile(std::string path);
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    /// Without commit() before it, leaves nothing behind.
    ~AtomicFile();

    void write(std::span<const std::byte> bytes);
    void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
    void commit();

    /// How many bytes were written so far.
    std::uint64_t position() const { return position_; }
    const std::string& description() const { return path_; }

   private:
    void open_beside(unsigned mode);
    [[noreturn]] void fail(int error) const;

    std::string path_;
    std::string target_;
    /// Empty where the target is written directly.
    std::string temporary_;
    Descriptor file_;
    std::uint64_t position_ = 0;
};

}  // namespace seq
