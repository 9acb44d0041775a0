#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/tensor.hpp"

namespace seq {

/// Bytes of a known number that can be read at any offset, from several threads at once.
class ByteSource {
   public:
    virtual ~ByteSource() = default;
    virtual std::uint64_t size() const = 0;
    /// Fills `out` with the bytes at `offset`. Throws Error io/read where there are fewer, as in a file that was
    /// truncated after it was opened.
    virtual void read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
    /// What to call it in a message: the path.
    virtual const std::string& description() const = 0;
};

/// Bytes that come one after the other and once.
class ByteStream {
   public:
    virtual ~ByteStream() = default;
    /// Reads at least one byte and at most out.size(); 0 at the end. Throws Error io/read.
    virtual std::size_t read(std::span<std::byte> out) = 0;
    /// How many bytes are left, where that is known without reading them.
    virtual std::optional<std::uint64_t> remaining() const = 0;
    virtual const std::string& description() const = 0;

    /// Fills `out`, or throws Error io/format: the bytes end before `what` does.
    void read_exactly(std::span<std::byte> out, std::string_view what);
};

/// Opens a regular file for reading. Throws Error io/path where `path` names anything else (never waiting for a
/// FIFO's other end), io/open where it is missing or may not be read.
std::unique_ptr<ByteSource> open_file(const std::string& path);

std::unique_ptr<ByteSource> memory_source(std::vector<std::byte> bytes, std::string description);

/// The bytes [offset, offset + length) of a source, which must outlive the stream and hold them.
std::unique_ptr<ByteStream> stream_of(const ByteSource& source, std::uint64_t offset, std::uint64_t length);

/// Opens a file, a pipe or a device for reading; "-" is standard input. Throws Error io/open.
std::unique_ptr<ByteStream> open_stream(const std::string& path);

/// All that is left in a stream. Throws Error io/limit past `limit` bytes.
std::vector<std::byte> read_all(ByteStream& stream, std::uint64_t limit);

/// A zeroed tensor; throws Error io/limit where the machine has not that much memory, or the rank passes max_rank.
Tensor allocate_tensor(DType dtype, std::span<const std::int64_t> sizes, const std::string& description);

}  // namespace seq
