#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace seq::plan_file {

/// A regular file in memory, for reading alone, for as long as this lives. Whoever replaces the file by renaming does
/// no harm; whoever shortens it in place ends the process.
class MappedFile {
   public:
    /// Throws Error plan/file where it cannot be opened or is none that can be mapped.
    explicit MappedFile(const std::string& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::span<const std::byte> bytes() const { return {data_, size_}; }
    const std::string& path() const { return path_; }

   private:
    std::string path_;
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace seq::plan_file
