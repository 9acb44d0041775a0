#include "engine/build_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>

#include "engine/cache_folder.hpp"
#include "engine/plan_file/checksum.hpp"
#include "engine/whole_file.hpp"
#include "graph/diagnostic.hpp"
#include "graph/fnv1a.hpp"

namespace seq {
namespace {

namespace fs = std::filesystem;

constexpr std::array<char, 8> magic{'s', 'e', 'q', 'b', 'l', 'd', '1', '\n'};
constexpr std::size_t most_bytes = std::size_t{64} << 20;
constexpr std::size_t most_files = 1024;

/// In front of the key and the bytes; the checksum is of both.
struct Header {
    std::array<char, 8> magic{};
    std::uint64_t checksum = 0;
    std::uint64_t key_bytes = 0;
};

std::uint64_t checksum_of(std::string_view text) {
    return plan_file::checksum(std::as_bytes(std::span(text)), text.size());
}

/// All of a regular file of this user's that others may not write; empty where it is none.
std::string read_own(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return {};
    std::string bytes;
    struct stat status {};
    const bool own = fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
                     (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    if (own && static_cast<std::size_t>(status.st_size) <= most_bytes) {
        bytes.resize(static_cast<std::size_t>(status.st_size));
        std::size_t done = 0;
        while (done < bytes.size()) {
            const ssize_t count = ::read(file, bytes.data() + done, bytes.size() - done);
            if (count <= 0) break;
            done += static_cast<std::size_t>(count);
        }
        bytes.resize(done);
    }
    close(file);
    return bytes;
}

/// Removes the oldest files where there are too many.
void prune(const fs::path& folder) {
    std::error_code failure;
    std::vector<std::pair<fs::file_time_type, fs::path>> files;
    for (const auto& entry : fs::directory_iterator(folder, failure))
        files.emplace_back(entry.last_write_time(failure), entry.path());
    if (files.size() <= most_files) return;
    std::sort(files.begin(), files.end());
    for (std::size_t i = 0; i < files.size() - most_files; ++i) fs::remove(files[i].second, failure);
}

}  // namespace

std::string BuildFolder::file_of(const std::string& key) const {
    return fmt::format("{}/{:016x}.build", path_, fnv1a(key));
}

std::optional<std::string> BuildFolder::find(const std::string& key) const {
    if (path_.empty()) return std::nullopt;
    const std::string file = read_own(file_of(key));
    Header header;
    if (file.size() < sizeof header) return std::nullopt;
    std::memcpy(&header, file.data(), sizeof header);
    const std::string_view body = std::string_view(file).substr(sizeof header);
    if (header.magic != magic || header.checksum != checksum_of(body) || header.key_bytes != key.size() ||
        !body.starts_with(key))
        return std::nullopt;
    return std::string(body.substr(key.size()));
}

void BuildFolder::keep(const Build& build) const {
    if (path_.empty() || find(build.key) == build.bytes) return;
    const std::string body = build.key + build.bytes;
    if (sizeof(Header) + body.size() > most_bytes) return;
    const Header header{magic, checksum_of(body), build.key.size()};
    const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(&header, 1)), std::as_bytes(std::span(body))};
    try {
        fs::create_directories(path_);
        write_whole(file_of(build.key), pieces, S_IRUSR | S_IWUSR);
        prune(path_);
    } catch (const Error&) {
        return;  // a full disk, or a folder of somebody else's
    } catch (const fs::filesystem_error&) {
        return;
    }
}

std::string BuildFolder::default_path() {
    const std::string folder = cache_folder();
    return folder.empty() ? folder : folder + "/builds";
}

std::optional<std::string> BuildStore::find(const std::string& key) const {
    if (stored_ != nullptr) {
        const auto found = stored_->builds.find(key);
        if (found != stored_->builds.end())
            return std::string(reinterpret_cast<const char*>(found->second.data()), found->second.size());
    }
    return folder_.find(key);
}

void BuildStore::keep(const PreparedKernel& kernel) {
    if (folder_.is_none()) return;
    const std::string key = kernel.build_key();
    if (key.empty() || !kept_.insert(key).second) return;
    if (kernel.build_fault.empty() && folder_.find(key)) return;
    if (auto bytes = kernel.build()) folder_.keep({key, std::move(*bytes)});
}

}  // namespace seq
