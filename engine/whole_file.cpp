#include "engine/whole_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "graph/diagnostic.hpp"
#include "graph/links.hpp"

namespace seq {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_at_once = std::size_t{1} << 30;

/// A file that is removed again unless it is renamed.
class Draft {
   public:
    Draft(const std::string& path, unsigned mode) : path_(path), target_(resolved(path)) {
        static std::atomic<unsigned> counter{0};
        draft_ = fmt::format("{}.{}-{}.tmp", target_, getpid(), counter.fetch_add(1));
        descriptor_ = open(draft_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (descriptor_ < 0) fail(errno);
    }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;
    ~Draft() {
        if (descriptor_ >= 0) close(descriptor_);
        if (!draft_.empty()) unlink(draft_.c_str());
    }

    void write(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::write(descriptor_, bytes.data(), std::min(bytes.size(), most_at_once));
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) fail(errno);
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
    }

    void commit() {
        const int closed = close(descriptor_);
        descriptor_ = -1;
        if (closed != 0 && errno != EINTR) fail(errno);
        if (std::rename(draft_.c_str(), target_.c_str()) != 0) fail(errno);
        draft_.clear();
    }

   private:
    /// What may not be written may not be replaced either.
    std::string resolved(const std::string& path) const {
        std::error_code failure;
        const fs::file_status status = fs::status(path, failure);
        if (!fs::exists(status)) {
            std::string target = follow_links(path);
            if (fs::is_symlink(fs::symlink_status(target, failure))) fail(ELOOP);
            return target;
        }
        if (fs::is_directory(status)) fail(EISDIR);
        if (!fs::is_regular_file(status)) throw Error("io/write", path + ": is there and is no regular file");
        if (access(path.c_str(), W_OK) != 0) fail(errno);
        const fs::path target = fs::canonical(path, failure);
        return failure ? path : target.string();
    }

    [[noreturn]] void fail(int error) const {
        throw Error("io/write", fmt::format("{}: {}", path_, std::strerror(error)));
    }

    std::string path_;
    std::string target_;
    std::string draft_;
    int descriptor_ = -1;
};

}  // namespace

void write_whole(const std::string& path, std::span<const std::span<const std::byte>> pieces, unsigned mode) {
    Draft draft(path, mode);
    for (const auto& piece : pieces) draft.write(piece);
    draft.commit();
}

}  // namespace seq
