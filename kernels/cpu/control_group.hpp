#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace seq::cpu {

/// The folders that hold the limits which control groups (version 1 or 2) of Linux set to this process for `controller`
/// ("cpu" or "memory"): of its own group and of those around it. `root`: where proc and sys lie.
std::vector<std::filesystem::path> control_groups(const std::string& controller,
                                                  const std::filesystem::path& root = "/");

/// For how many processors' time the groups leave room, in whole ones and at least 1: a thread that is held back for
/// the rest of a period would keep all others waiting. nullopt where no group limits it.
std::optional<int> granted_processors(const std::filesystem::path& root = "/");

/// How many threads may compute: as many as the process's affinity and its control groups leave processors. Where the
/// groups leave fewer, oneTBB is told too, so that its pool never has more.
int usable_concurrency();

}  // namespace seq::cpu
