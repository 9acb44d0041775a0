#include "frontend/fix.hpp"

#include <algorithm>
#include <optional>

#include "frontend/json/document.hpp"
#include "frontend/json/edit.hpp"

namespace seq {
namespace {

/// Mending uncovers what the faults hid, so it takes a few rounds.
constexpr int most_rounds = 16;
/// How many fixes are tried one by one where all together do not help.
constexpr std::size_t most_single = 64;

std::size_t count_errors(const CheckResult& check) {
    return static_cast<std::size_t>(std::count_if(check.diagnostics.begin(), check.diagnostics.end(),
                                                  [](const Diagnostic& d) { return d.severity == Severity::error; }));
}

struct Candidate {
    std::string message;
    std::vector<json::Edit> edits;
};

std::vector<Candidate> certain_fixes(const CheckResult& check) {
    std::vector<Candidate> candidates;
    if (!check.definition || !check.definition->document) return candidates;
    for (const Diagnostic& diagnostic : check.diagnostics) {
        for (const Fix& fix : diagnostic.fixes) {
            if (!fix.certain || fix.patch.empty()) continue;
            auto edits = json::edits_of(*check.definition->document, fix.patch);
            if (edits)
                candidates.push_back(
                    {(diagnostic.layer.empty() ? "" : diagnostic.layer + ": ") + fix.message, std::move(*edits)});
            break;
        }
    }
    return candidates;
}

struct Attempt {
    std::string text;
    std::vector<std::string> messages;
};

Attempt apply_together(const std::string& text, const std::vector<Candidate>& candidates) {
    Attempt attempt;
    std::vector<json::Edit> edits;
    std::size_t previous_end = 0;
    for (const Candidate& candidate : candidates) {
        const auto begin =
            std::min_element(candidate.edits.begin(), candidate.edits.end(), [](const auto& a, const auto& b) {
                return a.begin < b.begin;
            })->begin;
        const bool after_all = begin > previous_end;
        if (!after_all && !json::compatible(edits, candidate.edits)) continue;
        for (const json::Edit& edit : candidate.edits) previous_end = std::max(previous_end, edit.end);
        edits.insert(edits.end(), candidate.edits.begin(), candidate.edits.end());
        attempt.messages.push_back(candidate.message);
    }
    attempt.text = json::apply(text, std::move(edits));
    return attempt;
}

class Fixer {
   public:
    Fixer(FixResult& result, const std::string& file, const CheckOptions& options, const std::string& folder)
        : result_(result), file_(file), options_(options), folder_(folder) {}

    void run() {
        result_.check = check(result_.text);
        for (int round = 0; round < most_rounds && result_.check.has_error(); ++round) {
            const std::vector<Candidate> candidates = certain_fixes(result_.check);
            if (candidates.empty()) return;
            if (!accept(apply_together(result_.text, candidates)) && !accept_one(candidates)) return;
        }
    }

   private:
    CheckResult check(const std::string& text) const { return check_text(text, file_, options_, folder_); }

    bool accept(Attempt attempt) {
        CheckResult outcome = check(attempt.text);
        if (count_errors(outcome) >= count_errors(result_.check)) return false;
        result_.text = std::move(attempt.text);
        result_.check = std::move(outcome);
        result_.applied.insert(result_.applied.end(), attempt.messages.begin(), attempt.messages.end());
        return true;
    }

    bool accept_one(const std::vector<Candidate>& candidates) {
        if (candidates.size() < 2) return false;
        for (std::size_t i = 0; i < std::min(candidates.size(), most_single); ++i) {
            if (accept({json::apply(result_.text, candidates[i].edits), {candidates[i].message}})) return true;
        }
        return false;
    }

    FixResult& result_;
    const std::string& file_;
    const CheckOptions& options_;
    const std::string& folder_;
};

}  // namespace

FixResult fix_text(std::string text, const std::string& file, const CheckOptions& options, const std::string& folder) {
    FixResult result;
    result.text = std::move(text);
    Fixer(result, file, options, folder).run();
    return result;
}

FixResult fix_file(const std::string& path, const CheckOptions& options) {
    const ModelText model = read_model(path);
    return fix_text(model.text, model.file, options, model.folder);
}

}  // namespace seq
