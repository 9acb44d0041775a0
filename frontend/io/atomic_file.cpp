#include "frontend/io/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "graph/diagnostic.hpp"
#include "graph/links.hpp"

namespace seq {
namespace {

constexpr std::size_t max_write = std::size_t{1} << 30;

/// Keeps SIGPIPE from this thread, and takes it back where a write raised it.
class PipeSignalGuard {
   public:
    PipeSignalGuard() {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        sigset_t pending;
        was_pending_ = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
        pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    PipeSignalGuard(const PipeSignalGuard&) = delete;
    PipeSignalGuard& operator=(const PipeSignalGuard&) = delete;
    ~PipeSignalGuard() {
        const int error = errno;
        const timespec at_once{};
        if (!was_pending_) sigtimedwait(&pipe_, nullptr, &at_once);
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        errno = error;
    }

   private:
    sigset_t pipe_;
    sigset_t before_;
    bool was_pending_ = false;
};

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
    if (path_ == "-") {
        path_ = "standard output";
        file_ = Descriptor(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
        if (!file_) fail(errno);
        return;
    }
    struct stat status {};
    const bool exists = stat(path_.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) fail(EISDIR);
    if (exists && !S_ISREG(status.st_mode)) {
        file_ = Descriptor(open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
        if (!file_) fail(errno);
        return;
    }
    target_ = follow_links(path_);
    // What may not be written may not be replaced either.
    if (exists && access(target_.c_str(), W_OK) != 0) fail(errno);
    open_beside(exists ? status.st_mode & 07777u : 0);
}

void AtomicFile::open_beside(unsigned mode) {
    static std::atomic<unsigned> counter{0};
    for (int attempt = 0; attempt < 100 && !file_; ++attempt) {
        temporary_ = fmt::format("{}.{}-{}.tmp", target_, getpid(), counter.fetch_add(1));
        file_ = Descriptor(open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
        if (!file_ && errno != EEXIST) break;
    }
    if (!file_) {
        temporary_.clear();
        fail(errno);
    }
    if (mode != 0 && fchmod(file_.get(), mode) != 0) {
        const int error = errno;
        unlink(temporary_.c_str());
        fail(error);
    }
}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::fail(int error) const { throw Error("io/write", fmt::format("{}: {}", path_, std::strerror(error))); }

void AtomicFile::write(std::span<const std::byte> bytes) {
    const PipeSignalGuard guard;
    while (!bytes.empty()) {
        const ssize_t count = ::write(file_.get(), bytes.data(), std::min(bytes.size(), max_write));
        if (count < 0 && (errno == EINTR || (errno == EAGAIN && wait_until_ready(file_, POLLOUT)))) continue;
        if (count < 0) fail(errno);
        position_ += static_cast<std::uint64_t>(count);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

void AtomicFile::commit() {
    if (file_.close() != 0 && errno != EINTR) fail(errno);
    if (temporary_.empty()) return;
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
    temporary_.clear();
}

}  // namespace seq
