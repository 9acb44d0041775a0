#include "kernels/cpu/control_group.hpp"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

namespace seq::cpu {
namespace {

namespace fs = std::filesystem;

/// Where the hierarchies are mounted in which a line "id:controllers:path" of /proc/self/cgroup may lie.
std::vector<fs::path> mounts_for(const std::string& controllers, const std::string& controller, const fs::path& root) {
    const fs::path mounted = root / "sys/fs/cgroup";
    if (controllers.empty()) return {mounted, mounted / "unified"};
    std::istringstream list(controllers);
    for (std::string one; std::getline(list, one, ',');) {
        if (one == controller) return {mounted / controllers, mounted / controller};
    }
    return {};
}

/// The group's folder and those around it, up to the mount. In a container the path may be the host's, of which only
/// the mount itself is there.
void add_folders(const fs::path& mount, const std::string& group, std::vector<fs::path>& folders) {
    std::error_code failure;
    fs::path path = fs::path(group).relative_path().lexically_normal();
    if (!path.empty() && *path.begin() == "..") path.clear();
    for (;; path = path.parent_path()) {
        if (const fs::path folder = path.empty() ? mount : mount / path; fs::is_directory(folder, failure))
            folders.push_back(folder);
        if (path.empty()) return;
    }
}

/// Of one group; infinity where it sets no limit.
double processors_of(const fs::path& folder) {
    constexpr double none = std::numeric_limits<double>::infinity();
    double quota = 0, period = 0;
    if (std::ifstream file(folder / "cpu.max"); file) {  // "max 100000" where there is none
        if (!(file >> quota >> period)) return none;
    } else if (!(std::ifstream(folder / "cpu.cfs_quota_us") >> quota) ||
               !(std::ifstream(folder / "cpu.cfs_period_us") >> period)) {
        return none;
    }
    return quota > 0 && period > 0 ? quota / period : none;
}

int limit_pool(int usable) {
    const auto granted = granted_processors();
    if (!granted || *granted >= usable) return usable;
    static const oneapi::tbb::global_control control(oneapi::tbb::global_control::max_allowed_parallelism,
                                                     static_cast<std::size_t>(*granted));
    return *granted;
}

}  // namespace

std::vector<fs::path> control_groups(const std::string& controller, const fs::path& root) {
    std::vector<fs::path> folders;
    std::ifstream file(root / "proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        const std::size_t first = line.find(':'), second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        for (const fs::path& mount : mounts_for(controllers, controller, root))
            add_folders(mount, line.substr(second + 1), folders);
    }
    return folders;
}

std::optional<int> granted_processors(const fs::path& root) {
    double least = std::numeric_limits<double>::infinity();
    for (const fs::path& folder : control_groups("cpu", root)) least = std::min(least, processors_of(folder));
    if (least > std::numeric_limits<int>::max()) return std::nullopt;
    return std::max(static_cast<int>(least), 1);
}

int usable_concurrency() {
    static const int usable = limit_pool(oneapi::tbb::info::default_concurrency());
    return usable;
}

}  // namespace seq::cpu
