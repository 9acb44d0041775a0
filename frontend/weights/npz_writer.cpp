#include <fmt/format.h>
#include <zlib.h>

#include <limits>
#include <stdexcept>
#include <unordered_set>

#include "frontend/io/quoted_name.hpp"
#include "frontend/weights/little_endian.hpp"
#include "frontend/weights/npy.hpp"
#include "frontend/weights/npz.hpp"

namespace seq {
namespace {

constexpr std::uint64_t full32 = 0xffffffff;
/// 1980-01-01, the first day that a zip archive knows.
constexpr std::uint64_t first_day = 0x21;

struct Member {
    std::string name;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t crc = 0;
};

std::uint64_t crc_of(const TensorView& tensor) {
    uLong crc = 0;
    encode_npy(tensor, [&](std::span<const std::byte> bytes) {
        crc = crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
    });
    return crc;
}

/// The part that a local header and a directory entry share, from the version to the length of the extra field.
void append_common(std::string& out, const Member& member, std::uint64_t extra_size) {
    const std::uint64_t short_size = std::min(member.size, full32);
    append_little_endian(out, extra_size > 0 ? 45 : 20, 2);
    append_little_endian(out, 0x800, 2);  // the name is UTF-8
    append_little_endian(out, 0, 2);
    append_little_endian(out, 0, 2);
    append_little_endian(out, first_day, 2);
    append_little_endian(out, member.crc, 4);
    append_little_endian(out, short_size, 4);
    append_little_endian(out, short_size, 4);
    append_little_endian(out, member.name.size(), 2);
    append_little_endian(out, extra_size, 2);
}

std::string zip64_extra(const Member& member, bool with_offset) {
    std::string values;
    if (member.size >= full32) {
        append_little_endian(values, member.size, 8);
        append_little_endian(values, member.size, 8);
    }
    if (with_offset && member.offset >= full32) append_little_endian(values, member.offset, 8);
    if (values.empty()) return {};
    std::string extra;
    append_little_endian(extra, 1, 2);
    append_little_endian(extra, values.size(), 2);
    return extra + values;
}

std::string local_header(const Member& member) {
    const std::string extra = zip64_extra(member, false);
    std::string out = "PK\3\4";
    append_common(out, member, extra.size());
    return out + member.name + extra;
}

std::string directory_entry(const Member& member) {
    const std::string extra = zip64_extra(member, true);
    std::string out = "PK\1\2";
    append_little_endian(out, extra.empty() ? 20 : 45, 2);
    append_common(out, member, extra.size());
    append_little_endian(out, 0, 2);  // no comment, disk 0, no attributes
    append_little_endian(out, 0, 8);
    append_little_endian(out, std::min(member.offset, full32), 4);
    return out + member.name + extra;
}

std::string end_records(std::uint64_t offset, std::uint64_t size, std::uint64_t count) {
    std::string out;
    if (offset >= full32 || size >= full32 || count >= 0xffff) {
        out += "PK\6\6";
        append_little_endian(out, 44, 8);
        append_little_endian(out, 45, 2);
        append_little_endian(out, 45, 2);
        append_little_endian(out, 0, 8);
        append_little_endian(out, count, 8);
        append_little_endian(out, count, 8);
        append_little_endian(out, size, 8);
        append_little_endian(out, offset, 8);
        out += "PK\6\7";
        append_little_endian(out, 0, 4);
        append_little_endian(out, offset + size, 8);
        append_little_endian(out, 1, 4);
    }
    out += "PK\5\6";
    append_little_endian(out, 0, 4);
    append_little_endian(out, std::min<std::uint64_t>(count, 0xffff), 2);
    append_little_endian(out, std::min<std::uint64_t>(count, 0xffff), 2);
    append_little_endian(out, std::min(size, full32), 4);
    append_little_endian(out, std::min(offset, full32), 4);
    append_little_endian(out, 0, 2);
    return out;
}

void check_names(std::span<const std::pair<std::string, TensorView>> arrays) {
    std::unordered_set<std::string_view> names;
    for (const auto& [name, tensor] : arrays) {
        if (!names.insert(name).second)
            throw std::invalid_argument(fmt::format("the array {} appears twice", quoted_name(name)));
        if (name.size() > 65000)
            throw std::invalid_argument(fmt::format("the name {} is too long for a .npz file", quoted_name(name)));
    }
}

}  // namespace

void write_npz(const std::string& path, std::span<const std::pair<std::string, TensorView>> arrays) {
    check_names(arrays);
    AtomicFile file(path);
    std::vector<Member> members;
    for (const auto& [name, tensor] : arrays) {
        members.push_back({name + ".npy", file.position(), encoded_npy_size(tensor), crc_of(tensor)});
        file.write(local_header(members.back()));
        encode_npy(tensor, [&](std::span<const std::byte> bytes) { file.write(bytes); });
    }
    const std::uint64_t offset = file.position();
    for (const Member& member : members) file.write(directory_entry(member));
    file.write(end_records(offset, file.position() - offset, members.size()));
    file.commit();
}

}  // namespace seq
