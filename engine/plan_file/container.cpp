#include "engine/plan_file/container.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "engine/plan_file/checksum.hpp"
#include "engine/whole_file.hpp"
#include "graph/diagnostic.hpp"

namespace seq::plan_file {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers lie in the file as in memory");
static_assert(sizeof(Header) == 80, "there are no gaps");

/// With a line end of each kind and a byte past ASCII, which careless copies change.
constexpr std::array<char, 8> magic{'s', 'e', 'q', 'x', '\r', '\n', '\x1a', '\xff'};
constexpr std::uint32_t format = 2;
/// The checksum is of what follows it.
constexpr std::size_t checked_from = offsetof(Header, checksum) + sizeof(std::uint64_t);

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

Header::Range range_after(std::size_t end, std::size_t bytes) { return {aligned(end), bytes}; }

std::size_t end_of(const Header::Range& range) { return range.offset + range.bytes; }

Header describe(std::size_t meta_bytes, std::size_t graph_bytes, std::size_t data_bytes) {
    Header header;
    header.magic = magic;
    header.format = format;
    header.sections = section_count;
    header.ranges[0] = range_after(sizeof(Header), meta_bytes);
    header.ranges[1] = range_after(end_of(header.ranges[0]), graph_bytes);
    header.ranges[2] = range_after(end_of(header.ranges[1]), data_bytes);
    header.file_bytes = end_of(header.ranges[2]);
    return header;
}

void add_padded(std::string& front, const Header::Range& range, std::string_view text) {
    front.resize(range.offset, '\0');
    front += text;
}

/// Whether the sections are where the writer would put sections of these sizes.
bool is_in_place(const Header& header) {
    std::size_t limit = header.file_bytes;
    for (const Header::Range& range : header.ranges) {
        if (range.bytes > limit) return false;
        limit -= range.bytes;
    }
    const Header expected = describe(header.ranges[0].bytes, header.ranges[1].bytes, header.ranges[2].bytes);
    return std::memcmp(expected.ranges.data(), header.ranges.data(), sizeof header.ranges) == 0 &&
           expected.file_bytes == header.file_bytes;
}

void check(const Header& header, std::span<const std::byte> file, const std::string& path) {
    if (header.magic != magic) throw Error("plan/damaged", fmt::format("{} is no compiled plan", path));
    if (header.format != format)
        throw Error("plan/version", fmt::format("{} is of format {}, and this seq reads format {}: compile again", path,
                                                header.format, format));
    if (header.file_bytes != file.size())
        refuse_damaged(path, fmt::format("has {} bytes where {} were written", file.size(), header.file_bytes));
    if (header.sections != section_count || !is_in_place(header)) refuse_damaged(path, "has a broken table");
    if (checksum(file.subspan(checked_from), format) != header.checksum)
        refuse_damaged(path, "does not have the checksum that it was written with");
}

}  // namespace

void refuse_damaged(const std::string& path, std::string_view reason) {
    throw Error("plan/damaged", fmt::format("{} is damaged: it {}; compile it again", path, reason));
}

std::size_t ContainerWriter::add(std::span<const std::byte> bytes) {
    static constexpr std::array<std::byte, alignment> zeros{};
    const std::size_t offset = aligned(data_bytes_);
    if (offset > data_bytes_) data_.push_back(std::span(zeros).first(offset - data_bytes_));
    data_.push_back(bytes);
    data_bytes_ = offset + bytes.size();
    return offset;
}

void ContainerWriter::write(const std::string& path, std::string_view meta, std::string_view graph) const {
    Header header = describe(meta.size(), graph.size(), data_bytes_);
    std::string front(sizeof header, '\0');
    add_padded(front, header.ranges[0], meta);
    add_padded(front, header.ranges[1], graph);
    add_padded(front, header.ranges[2], {});
    std::memcpy(front.data(), &header, sizeof header);
    Checksum checksum(format);
    checksum.add(std::as_bytes(std::span(front)).subspan(checked_from));
    for (const auto& bytes : data_) checksum.add(bytes);
    header.checksum = checksum.finish();
    std::memcpy(front.data(), &header, sizeof header);
    std::vector<std::span<const std::byte>> pieces{std::as_bytes(std::span(front))};
    pieces.insert(pieces.end(), data_.begin(), data_.end());
    write_whole(path, pieces);
}

Container::Container(const std::string& path) : file_(std::make_shared<MappedFile>(path)) {
    const auto file = file_->bytes();
    if (file.size() < sizeof header_) {
        const bool ours = file.size() >= magic.size() && std::memcmp(file.data(), magic.data(), magic.size()) == 0;
        if (ours) refuse_damaged(path, "ends before its header does");
        throw Error("plan/damaged", fmt::format("{} is no compiled plan", path));
    }
    std::memcpy(&header_, file.data(), sizeof header_);
    check(header_, file, path);
}

std::span<const std::byte> Container::bytes(Section section) const {
    const Header::Range& range = header_.ranges[static_cast<std::size_t>(section)];
    return file_->bytes().subspan(range.offset, range.bytes);
}

std::string_view Container::text(Section section) const {
    const auto part = bytes(section);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
}

std::span<const std::byte> Container::data(std::uint64_t offset, std::uint64_t count) const {
    const auto all = bytes(Section::data);
    if (offset % alignment != 0 || offset > all.size() || count > all.size() - offset)
        refuse_damaged(file_->path(), "names numbers that it does not hold");
    return all.subspan(offset, count);
}

bool begins_as_plan(const std::string& path) {
    std::error_code failure;
    if (!std::filesystem::is_regular_file(path, failure)) return false;
    std::array<char, magic.size()> begin{};
    std::ifstream file(path, std::ios::binary);
    return file.read(begin.data(), begin.size()) && begin == magic;
}

}  // namespace seq::plan_file
