#include "frontend/io/byte_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "frontend/io/descriptor.hpp"
#include "graph/checked.hpp"
#include "graph/diagnostic.hpp"

namespace seq {
namespace {

constexpr std::size_t max_read = std::size_t{1} << 30;

class FileSource final : public ByteSource {
   public:
    FileSource(Descriptor file, std::uint64_t size, std::string description)
        : file_(std::move(file)), size_(size), description_(std::move(description)) {}

    std::uint64_t size() const override { return size_; }
    const std::string& description() const override { return description_; }

    void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
        while (!out.empty()) {
            const ssize_t got =
                pread(file_.get(), out.data(), std::min(out.size(), max_read), static_cast<off_t>(offset));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) throw Error("io/read", fmt::format("{}: {}", description_, std::strerror(errno)));
            if (got == 0)
                throw Error("io/read", fmt::format("{}: the file was truncated while it was read", description_));
            offset += static_cast<std::uint64_t>(got);
            out = out.subspan(static_cast<std::size_t>(got));
        }
    }

   private:
    Descriptor file_;
    std::uint64_t size_;
    std::string description_;
};

class MemorySource final : public ByteSource {
   public:
    MemorySource(std::vector<std::byte> bytes, std::string description)
        : bytes_(std::move(bytes)), description_(std::move(description)) {}

    std::uint64_t size() const override { return bytes_.size(); }
    const std::string& description() const override { return description_; }

    void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
        if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
            throw Error("io/read", fmt::format("{}: read past the end", description_));
        }
        if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    }

   private:
    std::vector<std::byte> bytes_;
    std::string description_;
};

class SourceStream final : public ByteStream {
   public:
    SourceStream(const ByteSource& source, std::uint64_t offset, std::uint64_t length)
        : source_(source), offset_(offset), left_(length) {}

    std::size_t read(std::span<std::byte> out) override {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_));
        source_.read_at(offset_, out.first(count));
        offset_ += count;
        left_ -= count;
        return count;
    }
    std::optional<std::uint64_t> remaining() const override { return left_; }
    const std::string& description() const override { return source_.description(); }

   private:
    const ByteSource& source_;
    std::uint64_t offset_;
    std::uint64_t left_;
};

class DescriptorStream final : public ByteStream {
   public:
    DescriptorStream(Descriptor file, std::optional<std::uint64_t> left, std::string description)
        : file_(std::move(file)), left_(left), description_(std::move(description)) {}

    std::size_t read(std::span<std::byte> out) override {
        const std::size_t wanted = std::min(out.size(), max_read);
        ssize_t got = 0;
        do {
            got = ::read(file_.get(), out.data(), wanted);
        } while (got < 0 && (errno == EINTR || (errno == EAGAIN && wait_until_ready(file_, POLLIN))));
        if (got < 0) throw Error("io/read", fmt::format("{}: {}", description_, std::strerror(errno)));
        const auto count = static_cast<std::size_t>(got);
        if (left_) left_ = *left_ - std::min<std::uint64_t>(*left_, count);
        return count;
    }
    std::optional<std::uint64_t> remaining() const override { return left_; }
    const std::string& description() const override { return description_; }

   private:
    Descriptor file_;
    std::optional<std::uint64_t> left_;
    std::string description_;
};

std::string kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return "a directory";
    if (S_ISFIFO(mode)) return "a FIFO";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

}  // namespace

void ByteStream::read_exactly(std::span<std::byte> out, std::string_view what) {
    while (!out.empty()) {
        const std::size_t count = read(out);
        if (count == 0) throw Error("io/format", fmt::format("{}: ends in the middle of {}", description(), what));
        out = out.subspan(count);
    }
}

std::unique_ptr<ByteSource> open_file(const std::string& path) {
    // O_NONBLOCK: opening a FIFO returns at once, to be refused below.
    Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file) {
        const char* code = errno == ENXIO || errno == ELOOP ? "io/path" : "io/open";
        throw Error(code, fmt::format("{}: {}", path, std::strerror(errno)));
    }
    struct stat status {};
    if (fstat(file.get(), &status) != 0) throw Error("io/open", fmt::format("{}: {}", path, std::strerror(errno)));
    if (!S_ISREG(status.st_mode)) {
        throw Error("io/path", fmt::format("{}: is {}, not a regular file", path, kind_of(status.st_mode)));
    }
    return std::make_unique<FileSource>(std::move(file), static_cast<std::uint64_t>(status.st_size), path);
}

std::unique_ptr<ByteSource> memory_source(std::vector<std::byte> bytes, std::string description) {
    return std::make_unique<MemorySource>(std::move(bytes), std::move(description));
}

std::unique_ptr<ByteStream> stream_of(const ByteSource& source, std::uint64_t offset, std::uint64_t length) {
    return std::make_unique<SourceStream>(source, offset, length);
}

std::unique_ptr<ByteStream> open_stream(const std::string& path) {
    const bool standard_input = path == "-";
    const std::string name = standard_input ? "standard input" : path;
    Descriptor file(standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                   : open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!file || fstat(file.get(), &status) != 0) {
        throw Error("io/open", fmt::format("{}: {}", name, std::strerror(errno)));
    }
    if (S_ISDIR(status.st_mode)) throw Error("io/open", fmt::format("{}: is a directory", name));
    std::optional<std::uint64_t> left;
    if (S_ISREG(status.st_mode)) {
        const off_t position = lseek(file.get(), 0, SEEK_CUR);
        if (position >= 0) left = static_cast<std::uint64_t>(std::max<off_t>(0, status.st_size - position));
    }
    return std::make_unique<DescriptorStream>(std::move(file), left, name);
}

std::vector<std::byte> read_all(ByteStream& stream, std::uint64_t limit) {
    const auto refuse = [&] {
        return Error("io/limit", fmt::format("{}: holds more than {} bytes, the limit", stream.description(), limit));
    };
    const std::optional<std::uint64_t> known = stream.remaining();
    if (known && *known > limit) throw refuse();
    std::vector<std::byte> bytes(static_cast<std::size_t>(known ? *known + 1 : std::uint64_t{1} << 16));
    std::size_t count = 0;
    while (const std::size_t got = stream.read(std::span(bytes).subspan(count))) {
        count += got;
        if (count > limit) throw refuse();
        if (count == bytes.size()) bytes.resize(count * 2);
    }
    bytes.resize(count);
    return bytes;
}

Tensor allocate_tensor(DType dtype, std::span<const std::int64_t> sizes, const std::string& description) {
    if (sizes.size() > static_cast<std::size_t>(max_rank)) {
        throw Error("io/limit", fmt::format("{}: has {} dimensions; at most {} are supported", description,
                                            sizes.size(), max_rank));
    }
    std::optional<std::int64_t> bytes = static_cast<std::int64_t>(size_of(dtype));
    for (std::int64_t size : sizes) bytes = bytes ? checked_mul(*bytes, size) : bytes;
    const auto memory =
        static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::int64_t>(sysconf(_SC_PAGESIZE));
    if (!bytes || *bytes > memory) {
        throw Error("io/limit", fmt::format("{}: needs {} bytes of memory, and this machine has {}", description,
                                            bytes ? fmt::to_string(*bytes) : "more than 2^63", memory));
    }
    try {
        return Tensor(dtype, sizes);
    } catch (const std::bad_alloc&) {
        throw Error("io/limit", fmt::format("{}: {} bytes of memory are not to be had", description, *bytes));
    }
}

}  // namespace seq
