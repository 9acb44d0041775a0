#include "frontend/weights/zip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>

#include "frontend/io/quoted_name.hpp"
#include "frontend/weights/little_endian.hpp"
#include "graph/diagnostic.hpp"

namespace seq {
namespace {

constexpr std::uint64_t end_size = 22;
constexpr std::uint64_t locator_size = 20;
constexpr std::uint64_t end64_size = 56;
constexpr std::size_t entry_size = 46;
constexpr std::size_t local_size = 30;
constexpr std::uint64_t max_directory = std::uint64_t{1} << 28;
constexpr std::uint64_t full32 = 0xffffffff;
/// What deflate can do at most, and a little for short inputs.
constexpr std::uint64_t max_ratio = 1032;
constexpr std::uint64_t ratio_slack = 1024;

using Bytes = std::span<const std::byte>;

std::uint64_t field(Bytes bytes, std::size_t offset, std::size_t length) {
    return read_little_endian(bytes.subspan(offset, length));
}

bool has_signature(Bytes bytes, std::uint32_t signature) { return field(bytes, 0, 4) == signature; }

struct Directory {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t count = 0;
};

/// The sizes of a zip64 extra field, which holds those, in order, whose short form is full.
struct Zip64Fields {
    std::uint64_t size;
    std::uint64_t compressed_size;
    std::uint64_t offset;
};

class DirectoryReader {
   public:
    explicit DirectoryReader(const ByteSource& source) : source_(source) {}

    std::vector<ZipMember> read() {
        directory_ = find_directory();
        std::vector<std::byte> bytes(static_cast<std::size_t>(directory_.size));
        source_.read_at(directory_.offset, bytes);
        std::vector<ZipMember> members;
        Bytes rest = bytes;
        for (std::uint64_t i = 0; i < directory_.count; ++i) members.push_back(read_entry(rest));
        if (!rest.empty()) fail("its directory has bytes left over");
        check_overlaps();
        return members;
    }

   private:
    struct Extent {
        std::uint64_t begin;
        std::uint64_t end;
        std::string name;
    };

    [[noreturn]] void fail(std::string_view problem) const {
        throw Error("io/format", fmt::format("{}: {}", source_.description(), problem));
    }
    [[noreturn]] void fail_member(std::string_view name, std::string_view problem) const {
        fail(fmt::format("member {} {}", quoted_name(name), problem));
    }

    Directory find_directory() const {
        const std::uint64_t tail_size = std::min<std::uint64_t>(source_.size(), end_size + 0xffff);
        std::vector<std::byte> tail(static_cast<std::size_t>(tail_size));
        const std::uint64_t tail_offset = source_.size() - tail_size;
        source_.read_at(tail_offset, tail);
        for (std::size_t at = tail.size() < end_size ? 0 : tail.size() - end_size + 1; at-- > 0;) {
            const Bytes end = Bytes(tail).subspan(at);
            if (has_signature(end, 0x06054b50) && field(end, 20, 2) == end.size() - end_size) {
                return read_end(end, tail_offset + at);
            }
        }
        fail("is no zip archive, or was truncated: it has no end record");
    }

    Directory read_end(Bytes end, std::uint64_t end_offset) const {
        Directory found{field(end, 16, 4), field(end, 12, 4), field(end, 10, 2)};
        if (field(end, 4, 2) != 0 || field(end, 6, 2) != 0) fail("is part of a split archive, which is not supported");
        std::uint64_t limit = end_offset;
        if (found.offset == full32 || found.size == full32 || found.count == 0xffff) {
            if (const std::optional<std::uint64_t> end64 = find_end64(end_offset)) {
                std::array<std::byte, end64_size> record{};
                source_.read_at(*end64, record);
                found = {field(record, 48, 8), field(record, 40, 8), field(record, 32, 8)};
                limit = *end64;
            }
        }
        if (found.offset > limit || found.size != limit - found.offset)
            fail("its end record does not fit its directory");
        if (found.size > max_directory)
            fail(fmt::format("its directory takes {} bytes; at most {} are allowed", found.size, max_directory));
        if (found.count > found.size / entry_size) fail("its directory is too short for its members");
        return found;
    }

    std::optional<std::uint64_t> find_end64(std::uint64_t end_offset) const {
        if (end_offset < locator_size + end64_size) return std::nullopt;
        std::array<std::byte, locator_size> locator{};
        source_.read_at(end_offset - locator_size, locator);
        if (!has_signature(locator, 0x07064b50)) return std::nullopt;
        const std::uint64_t offset = field(locator, 8, 8);
        if (offset != end_offset - locator_size - end64_size) fail("its zip64 end record is not where it should be");
        std::array<std::byte, 4> signature{};
        source_.read_at(offset, signature);
        if (!has_signature(signature, 0x06064b50)) fail("its zip64 end record is damaged");
        return offset;
    }

    ZipMember read_entry(Bytes& rest) {
        if (rest.size() < entry_size || !has_signature(rest, 0x02014b50)) fail("its directory is damaged");
        const Bytes entry = rest.first(entry_size);
        const auto name_size = static_cast<std::size_t>(field(entry, 28, 2));
        const auto extra_size = static_cast<std::size_t>(field(entry, 30, 2));
        const std::size_t total = entry_size + name_size + extra_size + static_cast<std::size_t>(field(entry, 32, 2));
        if (rest.size() < total) fail("its directory is damaged");
        ZipMember member;
        member.name.assign(reinterpret_cast<const char*>(rest.data()) + entry_size, name_size);
        Zip64Fields sizes{field(entry, 24, 4), field(entry, 20, 4), field(entry, 42, 4)};
        if (!read_zip64(rest.subspan(entry_size + name_size, extra_size), sizes))
            fail_member(member.name, "has a damaged extra field");
        rest = rest.subspan(total);
        const std::uint64_t flags = field(entry, 8, 2);
        const std::uint64_t method = field(entry, 10, 2);
        if (!names_.insert(member.name).second) fail_member(member.name, "appears twice");
        if ((flags & 0x2041) != 0) fail_member(member.name, "is encrypted, which is not supported");
        if (method != 0 && method != 8)
            fail_member(member.name, fmt::format("is compressed by method {}, which is not supported", method));
        member.deflated = method == 8;
        member.crc = static_cast<std::uint32_t>(field(entry, 16, 4));
        member.size = sizes.size;
        member.compressed_size = sizes.compressed_size;
        check_sizes(member);
        read_local_header(member, sizes.offset, entry);
        return member;
    }

    void check_sizes(const ZipMember& member) const {
        if (member.compressed_size > source_.size()) fail_member(member.name, "is said to be longer than the archive");
        const bool possible = member.deflated ? member.size <= member.compressed_size * max_ratio + ratio_slack
                                              : member.size == member.compressed_size;
        if (possible) return;
        fail_member(member.name, fmt::format("is said to have {} bytes, which {} bytes of the archive cannot hold",
                                             member.size, member.compressed_size));
    }

    /// False where the field is damaged.
    static bool read_zip64(Bytes extra, Zip64Fields& fields) {
        while (extra.size() >= 4) {
            const auto size = static_cast<std::size_t>(field(extra, 2, 2));
            if (size > extra.size() - 4) return false;
            Bytes body = extra.subspan(4, size);
            if (field(extra, 0, 2) == 1) {
                for (std::uint64_t* value : {&fields.size, &fields.compressed_size, &fields.offset}) {
                    if (*value != full32) continue;
                    if (body.size() < 8) return false;
                    *value = field(body, 0, 8);
                    body = body.subspan(8);
                }
            }
            extra = extra.subspan(4 + size);
        }
        return true;
    }

    void read_local_header(ZipMember& member, std::uint64_t offset, Bytes entry) {
        if (offset > directory_.offset || directory_.offset - offset < local_size + member.name.size()) {
            fail_member(member.name, "lies outside of the archive");
        }
        std::vector<std::byte> local(local_size + member.name.size());
        source_.read_at(offset, local);
        const std::uint64_t extra_size = field(local, 28, 2);
        const std::string_view name(reinterpret_cast<const char*>(local.data()) + local_size, member.name.size());
        const bool same = has_signature(local, 0x04034b50) && field(local, 26, 2) == member.name.size() &&
                          name == member.name && field(local, 8, 2) == field(entry, 10, 2) &&
                          field(local, 6, 2) == field(entry, 8, 2);
        if (!same) fail_member(member.name, "differs from its entry in the directory");
        member.data_offset = offset + local.size() + extra_size;
        if (member.data_offset > directory_.offset || member.compressed_size > directory_.offset - member.data_offset) {
            fail_member(member.name, "lies outside of the archive");
        }
        extents_.push_back({offset, member.data_offset + member.compressed_size, member.name});
        const bool sizes_follow = (field(local, 6, 2) & 8) != 0;
        if (sizes_follow) return;
        std::vector<std::byte> extra(static_cast<std::size_t>(extra_size));
        source_.read_at(offset + local.size(), extra);
        Zip64Fields sizes{field(local, 22, 4), field(local, 18, 4), 0};
        if (!read_zip64(extra, sizes) || sizes.size != member.size || sizes.compressed_size != member.compressed_size ||
            field(local, 14, 4) != member.crc) {
            fail_member(member.name, "differs from its entry in the directory");
        }
    }

    /// Members that share bytes make an archive larger than it looks.
    void check_overlaps() {
        std::sort(extents_.begin(), extents_.end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
        for (std::size_t i = 1; i < extents_.size(); ++i) {
            if (extents_[i].begin < extents_[i - 1].end) {
                fail_member(extents_[i].name, fmt::format("overlaps member {}", quoted_name(extents_[i - 1].name)));
            }
        }
    }

    const ByteSource& source_;
    Directory directory_;
    std::unordered_set<std::string> names_;
    std::vector<Extent> extents_;
};

}  // namespace

std::vector<ZipMember> read_zip_directory(const ByteSource& source) { return DirectoryReader(source).read(); }

}  // namespace seq
