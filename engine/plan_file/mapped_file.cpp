#include "engine/plan_file/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "graph/diagnostic.hpp"

namespace seq::plan_file {
namespace {

[[noreturn]] void fail(const std::string& path, const char* reason) {
    throw Error("plan/file", fmt::format("{}: {}", path, reason));
}

/// Gives 0 for an empty file.
std::size_t size_of_regular(int descriptor, const std::string& path) {
    struct stat status {};
    if (fstat(descriptor, &status) != 0) fail(path, std::strerror(errno));
    if (!S_ISREG(status.st_mode)) fail(path, "a plan is mapped, which takes a regular file");
    return static_cast<std::size_t>(status.st_size);
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path) {
    // A pipe that nobody writes to would be waited for.
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) fail(path, std::strerror(errno));
    void* address = MAP_FAILED;
    int error = 0;
    try {
        size_ = size_of_regular(descriptor, path);
        if (size_ > 0) address = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
        error = errno;
    } catch (...) {
        close(descriptor);
        throw;
    }
    close(descriptor);
    if (size_ == 0) return;
    if (address == MAP_FAILED) fail(path, std::strerror(error));
    data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
    if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace seq::plan_file
