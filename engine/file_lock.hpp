#pragma once

#include <string>

namespace seq {

/// Keeps the file at a path, which others replace by renaming, to one process and thread at a time, as long as all of
/// them ask. Waits for two seconds at most, and then, as where the file cannot be made or locked, holds nothing: what
/// is guarded has to be right without it, and may only lose what others write meanwhile.
class FileLock {
   public:
    /// Makes an empty file where there is none.
    explicit FileLock(const std::string& path);
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    ~FileLock();

    bool is_held() const { return descriptor_ >= 0; }

   private:
    int descriptor_ = -1;
};

}  // namespace seq
