#include "frontend/weights/npz.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "frontend/io/quoted_name.hpp"
#include "frontend/weights/normalize.hpp"
#include "frontend/weights/npy.hpp"
#include "frontend/weights/weight_errors.hpp"

namespace seq {
namespace {

constexpr std::string_view suffix = ".npy";

}  // namespace

NpzFile::NpzFile(const std::string& path) : NpzFile(with_weight_errors([&] { return open_file(path); })) {}

NpzFile::NpzFile(std::unique_ptr<ByteSource> bytes) : bytes_(std::move(bytes)) {
    const std::vector<std::string> problems = with_weight_errors([&] { return open_members(); });
    if (!problems.empty()) throw weight_file_error(bytes_->description(), problems);
    for (std::size_t i = 0; i < entries_.size(); ++i) by_name_.emplace(entries_[i].name, i);
}

std::vector<std::string> NpzFile::open_members() {
    std::vector<ZipMember> members = read_zip_directory(*bytes_);
    const auto is_pickle = [](const ZipMember& member) { return member.name.ends_with("data.pkl"); };
    if (std::any_of(members.begin(), members.end(), is_pickle)) {
        return {"is a PyTorch checkpoint; save its state_dict with safetensors.torch.save_file"};
    }
    std::vector<std::string> problems;
    const std::string prefix = bytes_->description() + ": ";
    for (ZipMember& member : members) {
        try {
            open_array(std::move(member));
        } catch (const Error& error) {
            const std::string_view message = error.what();
            problems.emplace_back(message.starts_with(prefix) ? message.substr(prefix.size()) : message);
            if (problems.size() >= max_file_problems) break;
        }
    }
    return problems;
}

void NpzFile::open_array(ZipMember member) {
    if (!member.name.ends_with(suffix)) {
        throw Error("io/format", fmt::format("member {} is not a .npy file", quoted_name(member.name)));
    }
    NpyHeader header = read_npy_header(*open_member(*bytes_, member));
    if (member.size - header.length != header.payload) {
        throw Error("io/format", fmt::format("{}: the array takes {} bytes, and {} follow its header",
                                             quoted_name(member.name), header.payload, member.size - header.length));
    }
    entries_.push_back({member.name.substr(0, member.name.size() - suffix.size()), header.dtype, header.sizes});
    members_.push_back({std::move(member), std::move(header)});
}

const WeightSource::Entry* NpzFile::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &entries_[found->second];
}

std::size_t NpzFile::index_of(const Entry& entry) const {
    const auto found = by_name_.find(entry.name);
    if (found == by_name_.end())
        throw Error("weights/missing", fmt::format("{} has no array {}", description(), entry.name));
    return found->second;
}

std::unique_ptr<ByteStream> NpzFile::elements_of(const Member& member) const {
    std::unique_ptr<ByteStream> stream = open_member(*bytes_, member.zip);
    const NpyHeader again = read_npy_header(*stream);
    if (again.length != member.header.length || again.payload != member.header.payload ||
        again.fortran_order != member.header.fortran_order) {
        throw Error("io/read", fmt::format("{}: changed while it was read", stream->description()));
    }
    return stream;
}

void NpzFile::read(const Entry& entry, std::span<std::byte> out) const {
    const std::size_t index = index_of(entry);
    check_byte_count(entries_[index], out.size());
    with_weight_errors([&] { read_npy_payload(*elements_of(members_[index]), members_[index].header, out); });
}

void NpzFile::stream(const Entry& entry, const std::function<void(std::span<const std::byte>)>& sink) const {
    const Member& member = members_[index_of(entry)];
    if (member.header.fortran_order) return WeightSource::stream(entry, sink);
    with_weight_errors([&] { stream_npy_payload(*elements_of(member), member.header, sink); });
}

namespace {

/// Calls `read` with the file; what is wrong with it is no matter of weights here.
template <class Read>
auto with_npz(const std::string& path, Read read) {
    std::unique_ptr<ByteSource> bytes = open_file(path);
    try {
        return read(NpzFile(std::move(bytes)));
    } catch (const BuildError& error) {
        std::string text;
        for (const Diagnostic& diagnostic : error.diagnostics())
            text += (text.empty() ? "" : "\n") + diagnostic.message;
        throw Error("io/format", text);
    }
}

Tensor read_entry(const NpzFile& file, const WeightSource::Entry& entry) {
    Tensor tensor =
        allocate_tensor(entry.dtype, entry.sizes, fmt::format("{}: {}", file.description(), quoted_name(entry.name)));
    file.read(entry, {tensor.view().as<std::byte>(), tensor.byte_count()});
    return tensor;
}

}  // namespace

std::vector<std::pair<std::string, Tensor>> read_npz(const std::string& path) {
    return with_npz(path, [](const NpzFile& file) {
        std::vector<std::pair<std::string, Tensor>> arrays;
        for (const WeightSource::Entry& entry : file.entries())
            arrays.emplace_back(entry.name, read_entry(file, entry));
        return arrays;
    });
}

Tensor read_npz_array(const std::string& path, std::string_view name) {
    return with_npz(path, [&](const NpzFile& file) {
        const WeightSource::Entry* entry = file.find(name);
        if (entry == nullptr && file.entries().size() == 1) entry = &file.entries().front();
        if (entry != nullptr) return read_entry(file, *entry);
        std::vector<std::string> names;
        for (const WeightSource::Entry& other : file.entries()) names.push_back(quoted_name(other.name));
        throw Error("input/missing",
                    fmt::format("{} has no array `{}`; it has {}", path, name, fmt::join(names, ", ")));
    });
}

}  // namespace seq
