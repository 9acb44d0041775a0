#include "frontend/weights/match_names.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "frontend/suggest.hpp"

namespace seq {
namespace {

using Entry = WeightSource::Entry;

constexpr int max_edits = 2;
/// Pairs of names that are compared letter by letter; past it the file is simply another model's.
constexpr std::size_t max_comparisons = 200'000;
/// Starting points that are tried for a common prefix.
constexpr std::size_t max_candidates = 16;
/// Prefixes that are found, one after the other.
constexpr std::size_t max_prefixes = 8;

class Matcher {
   public:
    Matcher(std::span<const WantedName> missing, std::span<const Entry* const> left_over) {
        for (const WantedName& name : missing) missing_.push_back(&name);
        for (const Entry* entry : left_over) free_.emplace(entry->name, entry);
        order_.assign(left_over.begin(), left_over.end());
    }

    std::vector<NameMatch> run() {
        while (matches_.size() < max_prefixes && (match_prefix(true) || match_prefix(false))) {
        }
        match_spelling();
        return std::move(matches_);
    }

   private:
    static bool agree(const WantedName& wanted, const Entry& entry) {
        return !wanted.sizes || *wanted.sizes == entry.sizes;
    }

    /// The free entry of that name that may stand for `wanted`; nullptr where there is none.
    const Entry* free_entry(const WantedName& wanted, const std::string& name) const {
        const auto found = free_.find(name);
        return found != free_.end() && agree(wanted, *found->second) ? found->second : nullptr;
    }

    static std::string renamed(const WantedName& wanted, const std::string& prefix, bool in_file) {
        if (in_file) return prefix + std::string(wanted.name);
        return wanted.name.starts_with(prefix) ? std::string(wanted.name.substr(prefix.size())) : std::string();
    }

    /// Prefixes, each ending in a dot, that make a pair of some missing and some free name.
    std::vector<std::string> prefixes(bool in_file) const {
        std::vector<std::string> found;
        for (std::size_t i = 0; i < std::min(missing_.size(), max_candidates); ++i) {
            const std::string_view wanted = missing_[i]->name;
            for (const Entry* entry : order_) {
                const std::string_view name = entry->name;
                if (found.size() >= max_candidates || !free_.contains(entry->name)) continue;
                const std::string_view longer = in_file ? name : wanted;
                const std::string_view shorter = in_file ? wanted : name;
                const bool fits = longer.size() > shorter.size() + 1 && longer.ends_with(shorter) &&
                                  longer[longer.size() - shorter.size() - 1] == '.';
                if (fits && agree(*missing_[i], *entry))
                    found.emplace_back(longer.substr(0, longer.size() - shorter.size()));
            }
        }
        std::sort(found.begin(), found.end());
        found.erase(std::unique(found.begin(), found.end()), found.end());
        return found;
    }

    bool match_prefix(bool in_file) {
        std::string best;
        std::size_t best_count = 0;
        for (const std::string& prefix : prefixes(in_file)) {
            const auto count =
                static_cast<std::size_t>(std::count_if(missing_.begin(), missing_.end(), [&](const WantedName* wanted) {
                    return free_entry(*wanted, renamed(*wanted, prefix, in_file)) != nullptr;
                }));
            if (count > best_count) best = prefix;
            best_count = std::max(best_count, count);
        }
        if (best_count == 0) return false;
        NameMatch match{in_file ? NameMatch::Kind::prefix_in_file : NameMatch::Kind::prefix_in_model, best, {}};
        for (const WantedName*& wanted : missing_) {
            const Entry* entry = free_entry(*wanted, renamed(*wanted, best, in_file));
            if (entry == nullptr) continue;
            match.pairs.emplace_back(wanted->name, entry->name);
            free_.erase(entry->name);
            wanted = nullptr;
        }
        std::erase(missing_, nullptr);
        matches_.push_back(std::move(match));
        return true;
    }

    /// The one free entry whose name is nearest; nullptr where there is none, or several are as near.
    const Entry* nearest_entry(const WantedName& wanted) const {
        const Entry* best = nullptr;
        int best_distance = max_edits + 1;
        bool tied = false;
        for (const Entry* entry : order_) {
            if (!free_.contains(entry->name) || !agree(wanted, *entry)) continue;
            const int distance = edit_distance(wanted.name, entry->name, max_edits);
            tied = distance == best_distance;
            if (distance < best_distance) best = entry;
            best_distance = std::min(best_distance, distance);
        }
        return best_distance <= max_edits && !tied ? best : nullptr;
    }

    void match_spelling() {
        if (missing_.size() * free_.size() > max_comparisons) return;
        std::map<std::pair<std::string_view, std::string_view>, std::size_t> groups;
        for (const WantedName* wanted : missing_) {
            const Entry* entry = nearest_entry(*wanted);
            if (entry == nullptr) continue;
            add_spelling(groups, wanted->name, entry->name);
            free_.erase(entry->name);
        }
    }

    /// The parameters of one layer whose name is misspelled make one match.
    void add_spelling(std::map<std::pair<std::string_view, std::string_view>, std::size_t>& groups,
                      std::string_view wanted, std::string_view found) {
        const auto layer_and_leaf = [](std::string_view name) {
            const std::size_t dot = name.rfind('.');
            return dot == std::string_view::npos ? std::pair(std::string_view(), name)
                                                 : std::pair(name.substr(0, dot), name.substr(dot));
        };
        const auto [wanted_layer, wanted_leaf] = layer_and_leaf(wanted);
        const auto [found_layer, found_leaf] = layer_and_leaf(found);
        if (wanted_leaf == found_leaf) {
            const auto [group, is_new] = groups.try_emplace({wanted_layer, found_layer}, matches_.size());
            if (!is_new) {
                matches_[group->second].pairs.emplace_back(wanted, found);
                return;
            }
        }
        matches_.push_back({NameMatch::Kind::spelling, {}, {{wanted, found}}});
    }

    std::vector<const WantedName*> missing_;
    std::unordered_map<std::string, const Entry*> free_;
    std::vector<const Entry*> order_;
    std::vector<NameMatch> matches_;
};

}  // namespace

std::vector<NameMatch> match_names(std::span<const WantedName> missing, std::span<const Entry* const> left_over) {
    return Matcher(missing, left_over).run();
}

}  // namespace seq
