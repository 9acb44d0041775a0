#include "frontend/weights/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "frontend/weights/little_endian.hpp"
#include "frontend/weights/normalize.hpp"
#include "frontend/weights/safetensors_header.hpp"
#include "frontend/weights/weight_errors.hpp"

namespace seq {
namespace {

constexpr std::uint64_t prefix_size = 8;
constexpr std::uint64_t max_header_size = 100'000'000;
constexpr std::size_t piece_size = std::size_t{1} << 18;

[[noreturn]] void refuse(const ByteSource& bytes, std::string problem) {
    throw weight_file_error(bytes.description(), std::array{std::move(problem)});
}

/// The header's length, checked against the file.
std::uint64_t read_header_size(const ByteSource& bytes) {
    if (bytes.size() < prefix_size)
        refuse(bytes, fmt::format("{} bytes are too few for a safetensors file", bytes.size()));
    std::array<std::byte, prefix_size> prefix{};
    bytes.read_at(0, prefix);
    const std::uint64_t size = read_little_endian(prefix);
    if (size > max_header_size) {
        refuse(
            bytes,
            fmt::format("the header is said to be {} bytes long; at most {} are allowed (is this a safetensors file?)",
                        size, max_header_size));
    }
    if (size > bytes.size() - prefix_size) {
        refuse(bytes, fmt::format("the header is said to be {} bytes long, and the file has {}", size, bytes.size()));
    }
    return size;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path)
    : SafetensorsFile(with_weight_errors([&] { return open_file(path); })) {}

SafetensorsFile::SafetensorsFile(std::unique_ptr<ByteSource> bytes) : bytes_(std::move(bytes)) {
    SafetensorsHeader header;
    std::uint64_t data = 0;
    with_weight_errors([&] {
        std::string text(static_cast<std::size_t>(read_header_size(*bytes_)), '\0');
        bytes_->read_at(prefix_size, std::as_writable_bytes(std::span(text)));
        data = prefix_size + text.size();
        header = parse_safetensors_header(text, bytes_->size() - data);
    });
    if (!header.problems.empty()) throw weight_file_error(bytes_->description(), header.problems);
    entries_.reserve(header.tensors.size());
    for (SafetensorsEntry& tensor : header.tensors) {
        entries_.push_back(std::move(tensor.entry));
        offsets_.push_back(data + tensor.begin);
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) by_name_.emplace(entries_[i].name, i);
}

const WeightSource::Entry* SafetensorsFile::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &entries_[found->second];
}

std::size_t SafetensorsFile::index_of(const Entry& entry) const {
    const auto found = by_name_.find(entry.name);
    if (found == by_name_.end())
        throw Error("weights/missing", fmt::format("{} has no tensor {}", description(), entry.name));
    return found->second;
}

void SafetensorsFile::read(const Entry& entry, std::span<std::byte> out) const {
    const std::size_t index = index_of(entry);
    check_byte_count(entries_[index], out.size());
    with_weight_errors([&] { bytes_->read_at(offsets_[index], out); });
    normalize_elements(entries_[index].dtype, out);
}

bool SafetensorsFile::read_part(const Entry& entry, std::uint64_t offset, std::span<std::byte> out) const {
    const std::size_t index = index_of(entry);
    const std::uint64_t bytes = byte_count_of(entries_[index]);
    if (offset > bytes || out.size() > bytes - offset)
        throw std::invalid_argument(fmt::format("{} does not have so many bytes", entry.name));
    with_weight_errors([&] { bytes_->read_at(offsets_[index] + offset, out); });
    normalize_elements(entries_[index].dtype, out);
    return true;
}

void SafetensorsFile::stream(const Entry& entry, const std::function<void(std::span<const std::byte>)>& sink) const {
    const std::size_t index = index_of(entry);
    std::uint64_t left = byte_count_of(entries_[index]);
    std::vector<std::byte> piece(static_cast<std::size_t>(std::min<std::uint64_t>(left, piece_size)));
    for (std::uint64_t offset = offsets_[index]; left > 0;) {
        const std::span<std::byte> part =
            std::span(piece).first(static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size())));
        with_weight_errors([&] { bytes_->read_at(offset, part); });
        normalize_elements(entries_[index].dtype, part);
        sink(part);
        offset += part.size();
        left -= part.size();
    }
}

}  // namespace seq
