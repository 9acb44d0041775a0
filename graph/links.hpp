#pragma once

#include <filesystem>
#include <string>
#include <system_error>

namespace seq {

/// What `path` stands for once symbolic links are followed, though nothing need be there; where they lead in a circle,
/// one of them.
inline std::string follow_links(const std::string& path) {
    namespace fs = std::filesystem;
    constexpr int max_links = 40;
    std::error_code error;
    fs::path target = path;
    for (int i = 0; i < max_links && fs::is_symlink(fs::symlink_status(target, error)); ++i) {
        const fs::path next = fs::read_symlink(target, error);
        if (error) break;
        target = target.parent_path() / next;
    }
    return target.string();
}

}  // namespace seq
