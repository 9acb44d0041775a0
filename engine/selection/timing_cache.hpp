#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/selection/candidate.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// What was measured, by machine and by what was run; in memory, and in a file where it has a path. Several processes
/// may use one file: what others have written meanwhile is kept, as long as all of it is less than 64 MiB. Past that,
/// other machines' times go first.
class TimingCache {
   public:
    using NotKept = std::function<void(const std::string& reason)>;

    TimingCache() = default;
    /// Reads the file where it exists. One that cannot be read counts as empty; where it is a cache nevertheless, it is
    /// replaced when there is something to write.
    TimingCache(std::string path, std::string machine, NotKept on_not_kept = {});

    /// nullptr where the key is not known.
    const std::vector<Candidate>* find(const std::string& key) const;
    void add(const std::string& key, std::vector<Candidate> candidates);
    /// The same for as long as this is there: `save` leaves it out.
    void add_unsaved(const std::string& key, std::vector<Candidate> candidates);

    /// Writes the file if anything was added: what it holds by now, and this. False, where that cannot be, or where the
    /// file holds something else than times; `on_not_kept` is told why, once.
    bool save();
    const std::string& path() const { return path_; }

    /// "$XDG_CACHE_HOME/seq/timings.json" or "~/.cache/seq/timings.json"; empty where neither variable is set.
    static std::string default_path();
    /// Whether there is something at the path that is to be left alone: neither empty nor a timing cache. One that is
    /// damaged or of another format is a cache as long as it says so.
    static bool holds_other(const std::string& path);

   private:
    using Layers = std::map<std::string, std::vector<Candidate>>;
    using Machines = std::map<std::string, Layers>;
    static Machines read(const std::string& path);
    /// Empty, or why it could not be.
    std::string write() const;

    std::string path_;
    std::string machine_;
    NotKept on_not_kept_;
    Layers layers_;
    Layers added_;
};

/// What times depend on besides the layer: the machine, and which kernels there were to measure.
std::string timed_on(const Backend& backend);

/// "plain", "channels_last", "blocked16", each also with " bf16" or " f16"; throws std::invalid_argument for anything
/// else.
Layout parse_layout(const std::string& text);

}  // namespace seq
