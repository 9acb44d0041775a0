#include "engine/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace seq {
namespace {

/// Another file may have taken the place of the one that was opened, before it was locked.
bool is_at(int descriptor, const std::string& path) {
    struct stat opened {
    }, there{};
    return fstat(descriptor, &opened) == 0 && stat(path.c_str(), &there) == 0 && opened.st_dev == there.st_dev &&
           opened.st_ino == there.st_ino;
}

}  // namespace

FileLock::FileLock(const std::string& path, std::chrono::milliseconds most) {
    using namespace std::chrono_literals;
    const auto deadline = std::chrono::steady_clock::now() + most;
    while (true) {
        const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
        if (descriptor < 0) return;
        const bool locked = flock(descriptor, LOCK_EX | LOCK_NB) == 0;
        const bool others = locked ? !is_at(descriptor, path) : errno == EWOULDBLOCK;
        if (locked && !others) {
            descriptor_ = descriptor;
            return;
        }
        close(descriptor);
        if (!others) return;
        if (std::chrono::steady_clock::now() >= deadline) break;
        if (!locked) std::this_thread::sleep_for(2ms);
    }
    others_ = true;
}

FileLock::~FileLock() {
    if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace seq
