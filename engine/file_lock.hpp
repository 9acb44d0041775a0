#pragma once

#include <chrono>
#include <string>

namespace seq {

/// Keeps the file at a path, which others replace by renaming, to one process and thread at a time, as long as all of
/// them ask. Where the file cannot be made or locked at all, on some network's file systems, nothing is held, and what
/// others write meanwhile may be lost.
class FileLock {
   public:
    /// Makes an empty file where there is none. Waits for those that have it, so long at most.
    FileLock(const std::string& path, std::chrono::milliseconds most);
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    ~FileLock();

    bool is_held() const { return descriptor_ >= 0; }
    /// Whether others had it all the time.
    bool is_others() const { return others_; }

   private:
    int descriptor_ = -1;
    bool others_ = false;
};

}  // namespace seq
