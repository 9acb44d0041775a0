#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "frontend/io/quoted_name.hpp"
#include "frontend/weights/zip.hpp"
#include "graph/diagnostic.hpp"

namespace seq {
namespace {

constexpr std::size_t input_size = std::size_t{1} << 16;
constexpr std::size_t max_output = std::size_t{1} << 30;

Bytef* zlib_bytes(std::byte* bytes) { return reinterpret_cast<Bytef*>(bytes); }

/// What both ways of storing share: counting, the checksum and the end.
class MemberStream : public ByteStream {
   public:
    MemberStream(const ByteSource& source, const ZipMember& member)
        : packed_(stream_of(source, member.data_offset, member.compressed_size)), member_(member), left_(member.size) {
        description_ = fmt::format("{}: {}", source.description(), quoted_name(member.name));
    }

    std::size_t read(std::span<std::byte> out) final {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>({out.size(), left_, max_output}));
        const std::size_t count = wanted == 0 ? 0 : produce(out.first(wanted));
        if (count > 0) crc_ = crc32(crc_, zlib_bytes(out.data()), static_cast<uInt>(count));
        left_ -= count;
        if (left_ == 0 && !ended_) {
            ended_ = true;
            if (!at_end()) fail("is longer than the archive says");
            if (crc_ != member_.crc) fail("has another checksum than the archive says: it is damaged");
        }
        return count;
    }
    std::optional<std::uint64_t> remaining() const final { return left_; }
    const std::string& description() const final { return description_; }

   protected:
    /// At least one byte.
    virtual std::size_t produce(std::span<std::byte> out) = 0;
    /// Whether the packed bytes end where all was produced.
    virtual bool at_end() = 0;

    [[noreturn]] void fail(std::string_view problem) const {
        throw Error("io/format", fmt::format("{} {}", description_, problem));
    }

    std::unique_ptr<ByteStream> packed_;

   private:
    ZipMember member_;
    std::string description_;
    std::uint64_t left_;
    uLong crc_ = 0;
    bool ended_ = false;
};

class StoredMember final : public MemberStream {
   public:
    using MemberStream::MemberStream;

   private:
    std::size_t produce(std::span<std::byte> out) override { return packed_->read(out); }
    bool at_end() override { return packed_->remaining() == 0; }
};

class DeflatedMember final : public MemberStream {
   public:
    DeflatedMember(const ByteSource& source, const ZipMember& member)
        : MemberStream(source, member), input_(input_size) {
        if (inflateInit2(&zlib_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
    }
    ~DeflatedMember() override { inflateEnd(&zlib_); }

   private:
    std::size_t produce(std::span<std::byte> out) override {
        zlib_.next_out = zlib_bytes(out.data());
        zlib_.avail_out = static_cast<uInt>(out.size());
        while (zlib_.avail_out > 0 && !finished_) step();
        const std::size_t count = out.size() - zlib_.avail_out;
        if (count == 0) fail("is shorter than the archive says");
        return count;
    }

    bool at_end() override {
        std::byte extra{};
        zlib_.next_out = zlib_bytes(&extra);
        zlib_.avail_out = 1;
        while (zlib_.avail_out > 0 && !finished_) step();
        return zlib_.avail_out == 1 && zlib_.avail_in == 0 && packed_->remaining() == 0;
    }

    void step() {
        if (zlib_.avail_in == 0) {
            const std::size_t count = packed_->read(input_);
            if (count == 0) fail("ends in the middle of its data");
            zlib_.next_in = zlib_bytes(input_.data());
            zlib_.avail_in = static_cast<uInt>(count);
        }
        const int status = inflate(&zlib_, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            fail("is damaged: its data cannot be inflated");
        finished_ = status == Z_STREAM_END;
    }

    z_stream zlib_{};
    std::vector<std::byte> input_;
    bool finished_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> open_member(const ByteSource& source, const ZipMember& member) {
    if (member.deflated) return std::make_unique<DeflatedMember>(source, member);
    return std::make_unique<StoredMember>(source, member);
}

}  // namespace seq
