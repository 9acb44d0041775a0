#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "kernels/kernel.hpp"

namespace seq {

/// Builds in files of one folder, each whole or not at all, which several processes use. The user's own: a file of
/// another user is not read.
class BuildFolder {
   public:
    /// Made when there is something to keep; empty: nothing is kept.
    explicit BuildFolder(std::string path = {}) : path_(std::move(path)) {}

    /// Whether nothing is kept.
    bool is_none() const { return path_.empty(); }
    /// nullopt where it is not there, or not as it was written.
    std::optional<std::string> find(const std::string& key) const;
    /// Where that cannot be written, it is not kept. The folder holds the latest thousand or so.
    void keep(const Build& build) const;

    /// "$XDG_CACHE_HOME/seq/builds" or "~/.cache/seq/builds"; empty where neither variable is set.
    static std::string default_path();

   private:
    std::string file_of(const std::string& key) const;

    std::string path_;
};

/// Builds as a file of plans holds them, by their keys.
struct StoredBuilds {
    std::map<std::string, std::span<const std::byte>> builds;
};

/// What kernels of one model find: builds of the file that it was loaded from, where that is trusted, and of a folder.
class BuildStore final : public Builds {
   public:
    explicit BuildStore(const std::string& folder = {}) : folder_(folder) {}
    void set_trusted(std::shared_ptr<const StoredBuilds> stored) { stored_ = std::move(stored); }

    std::optional<std::string> find(const std::string& key) const override;
    /// Keeps the kernel's build where the folder has none that serves. One thread at a time.
    void keep(const PreparedKernel& kernel);

   private:
    BuildFolder folder_;
    std::shared_ptr<const StoredBuilds> stored_;
    /// That were kept, or in the folder before.
    std::set<std::string> kept_;
};

}  // namespace seq
