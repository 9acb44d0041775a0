#include "frontend/weights/check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <unordered_set>

#include "frontend/io/quoted_name.hpp"
#include "frontend/weights/match_names.hpp"
#include "frontend/weights/normalize.hpp"

namespace seq {
namespace {

using Entry = WeightSource::Entry;

std::string shape_text(const std::vector<std::int64_t>& sizes) { return fmt::format("[{}]", fmt::join(sizes, ", ")); }

bool is_ignored(std::string_view name) {
    constexpr std::string_view counter = "num_batches_tracked";
    return name == counter || (name.ends_with(counter) && name[name.size() - counter.size() - 1] == '.');
}

bool are_equal(const WeightSource& source, const Entry& a, const Entry& b) {
    if (a.dtype != b.dtype || a.sizes != b.sizes) return false;
    std::vector<std::byte> bytes(static_cast<std::size_t>(byte_count_of(a)));
    source.read(a, bytes);
    bool equal = true;
    std::size_t at = 0;
    source.stream(b, [&](std::span<const std::byte> piece) {
        equal = equal && std::memcmp(bytes.data() + at, piece.data(), piece.size()) == 0;
        at += piece.size();
    });
    return equal;
}

class Checker {
   public:
    Checker(std::span<const NeededParameter> needed, const WeightSource& source, const ParameterAliases& aliases)
        : needed_(needed),
          source_(source),
          aliases_(aliases),
          file_(std::make_shared<const std::string>(source.description())) {}

    WeightCheck run() {
        find_all();
        const std::vector<NameMatch> matches = match_names(missing_names(), unexpected_);
        for (const NameMatch& match : matches) report_match(match);
        for (std::size_t i = 0; i < needed_.size(); ++i) {
            if (result_.entries[i] != nullptr) {
                check_type(i);
            } else if (!matched_.contains(needed_[i].name)) {
                report_missing(needed_[i]);
            }
        }
        for (const Entry* entry : unexpected_) {
            if (!matched_.contains(entry->name)) report_unexpected(*entry);
        }
        return std::move(result_);
    }

   private:
    void find_all() {
        std::map<std::string_view, const Entry*> stand_ins;
        for (const auto& [alias, owner] : aliases_) {
            const Entry* entry = source_.find(alias);
            if (entry != nullptr) stand_ins.emplace(owner, entry);
        }
        std::map<std::string_view, const Entry*> owners;
        for (const NeededParameter& parameter : needed_) {
            const Entry* entry = source_.find(parameter.name);
            const auto stand_in = stand_ins.find(parameter.name);
            if (entry == nullptr && stand_in != stand_ins.end()) entry = stand_in->second;
            result_.entries.push_back(entry);
            if (entry != nullptr) owners[parameter.name] = entry;
            if (entry != nullptr) used_.insert(entry->name);
        }
        for (const Entry& entry : source_.entries()) {
            if (used_.contains(entry.name) || is_ignored(entry.name)) continue;
            const auto alias = aliases_.find(entry.name);
            const auto owner = alias == aliases_.end() ? owners.end() : owners.find(alias->second);
            if (owner == owners.end()) {
                unexpected_.push_back(&entry);
            } else if (!are_equal(source_, *owner->second, entry)) {
                report_unequal(entry, *owner->second);
            }
        }
    }

    std::vector<WantedName> missing_names() const {
        std::vector<WantedName> names;
        for (std::size_t i = 0; i < needed_.size(); ++i) {
            if (result_.entries[i] == nullptr) names.push_back({needed_[i].name, needed_[i].type.shape.sizes()});
        }
        return names;
    }

    Diagnostic& report(std::string code, std::string message, const NeededParameter* parameter) {
        Diagnostic diagnostic;
        diagnostic.code = std::move(code);
        diagnostic.message = std::move(message);
        diagnostic.where.file = file_;
        if (parameter != nullptr) {
            diagnostic.layer = parameter->layer;
            diagnostic.type = parameter->layer_type;
            if (parameter->where.file != nullptr) diagnostic.where = parameter->where;
        }
        return result_.diagnostics.emplace_back(std::move(diagnostic));
    }

    static std::string subject(const NeededParameter& parameter) {
        const std::string separator = parameter.layer_type.empty() ? "" : " ";
        if (parameter.layer.empty()) return "the model";
        return parameter.layer_type + separator + quoted_name(parameter.layer);
    }

    void report_missing(const NeededParameter& parameter) {
        report(
            "weights/missing",
            fmt::format("{} needs {}, which {} does not have", subject(parameter), quoted_name(parameter.name), *file_),
            &parameter)
            .expected = parameter.type.error ? "" : parameter.type.to_string();
    }

    void report_unexpected(const Entry& entry) {
        report("weights/unexpected", fmt::format("{} has {}, which nothing uses", *file_, quoted_name(entry.name)),
               nullptr)
            .actual = entry.name;
    }

    void report_unequal(const Entry& entry, const Entry& owner) {
        report("weights/unexpected",
               fmt::format("{} has {}, which is another name of the shared {}, with other values", *file_,
                           quoted_name(entry.name), quoted_name(owner.name)),
               nullptr)
            .actual = entry.name;
    }

    const NeededParameter& parameter_of(std::string_view name) const {
        return *std::find_if(needed_.begin(), needed_.end(), [&](const NeededParameter& p) { return p.name == name; });
    }

    void report_match(const NameMatch& match) {
        for (const auto& [wanted, found] : match.pairs) {
            matched_.insert(wanted);
            matched_.insert(found);
        }
        const auto& [wanted, found] = match.pairs.front();
        const NeededParameter& parameter = parameter_of(wanted);
        if (match.kind == NameMatch::Kind::spelling) {
            Diagnostic& diagnostic =
                report("weights/missing",
                       fmt::format("{} needs {}, which {} does not have (did you mean its {}?)", subject(parameter),
                                   quoted_name(wanted), *file_, quoted_name(found)),
                       &parameter);
            for (std::size_t i = 1; i < match.pairs.size(); ++i) {
                diagnostic.notes.push_back(fmt::format("likewise {}: it has {}", quoted_name(match.pairs[i].first),
                                                       quoted_name(match.pairs[i].second)));
            }
            return;
        }
        const bool in_file = match.kind == NameMatch::Kind::prefix_in_file;
        report("weights/missing",
               fmt::format("{} of the model's {} parameters {} in {} with names that {} with {}", match.pairs.size(),
                           needed_.size(), match.pairs.size() == 1 ? "is" : "are", *file_,
                           in_file ? "begin" : "do not begin", quoted_name(match.prefix)),
               nullptr)
            .notes.push_back(fmt::format("the model has {}, the file {}", quoted_name(wanted), quoted_name(found)));
    }

    void check_type(std::size_t i) {
        const NeededParameter& parameter = needed_[i];
        const Entry& entry = *result_.entries[i];
        if (parameter.type.error) return;
        bool fits = true;
        if (parameter.type.dtype != entry.dtype && !(is_float(parameter.type.dtype) && is_float(entry.dtype))) {
            report_type("weights/dtype", parameter, entry, std::string(name_of(parameter.type.dtype)),
                        std::string(name_of(entry.dtype)));
            fits = false;
        }
        const std::optional<std::vector<std::int64_t>> sizes = parameter.type.shape.sizes();
        if (sizes && *sizes != entry.sizes) {
            Diagnostic& diagnostic =
                report_type("weights/shape", parameter, entry, shape_text(*sizes), shape_text(entry.sizes));
            const bool transposed = std::equal(sizes->rbegin(), sizes->rend(), entry.sizes.begin(), entry.sizes.end());
            if (transposed) diagnostic.notes.emplace_back("the file's tensor seems to be transposed");
            fits = false;
        }
        if (!fits) result_.entries[i] = nullptr;
    }

    Diagnostic& report_type(const char* code, const NeededParameter& parameter, const Entry& entry,
                            std::string expected, std::string actual) {
        Diagnostic& diagnostic = report(code,
                                        fmt::format("{} takes {} as {}, but {} has {}", subject(parameter),
                                                    quoted_name(entry.name), expected, *file_, actual),
                                        &parameter);
        diagnostic.expected = std::move(expected);
        diagnostic.actual = std::move(actual);
        return diagnostic;
    }

    std::span<const NeededParameter> needed_;
    const WeightSource& source_;
    const ParameterAliases& aliases_;
    std::shared_ptr<const std::string> file_;
    WeightCheck result_;
    std::unordered_set<std::string_view> used_;
    std::vector<const Entry*> unexpected_;
    std::unordered_set<std::string_view> matched_;
};

}  // namespace

WeightCheck check_weights(std::span<const NeededParameter> needed, const WeightSource& source,
                          const ParameterAliases& aliases) {
    return Checker(needed, source, aliases).run();
}

}  // namespace seq
