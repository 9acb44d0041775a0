#include "frontend/report/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "frontend/json/document.hpp"
#include "frontend/report/ideas.hpp"
#include "frontend/report/implied.hpp"
#include "frontend/report/patch.hpp"
#include "frontend/report/symbolic.hpp"
#include "frontend/report/trace.hpp"
#include "frontend/report/trial.hpp"

namespace seq {
namespace {

/// How many faults are looked into; the others are reported without cause and fixes.
constexpr std::size_t most_explained = 500;
constexpr std::size_t most_uncertain = 2;
/// A name that no symbol of a user has.
constexpr std::string_view side = "$side";

class Reporter {
   public:
    Reporter(const Definition& definition, const Lowering& lowering, const ReportOptions& options)
        : definition_(definition),
          lowering_(lowering),
          view_(definition, lowering),
          trial_(view_, options.weights, options.budget),
          writer_(view_, options.weights != nullptr),
          implied_(implied_bounds(lowering.faults)) {}

    std::vector<Diagnostic> run() {
        const std::vector<LayerFault>& faults = lowering_.faults;
        for (std::size_t i = 0; i < faults.size(); ++i) {
            if (!implied_.contains(&faults[i].fault)) add(i);
        }
        for (const std::size_t i : outlasting_bounds()) add(i);
        std::vector<Diagnostic> result;
        for (auto& [index, diagnostic] : diagnostics_) result.push_back(std::move(diagnostic));
        return result;
    }

   private:
    void add(std::size_t index) {
        const auto& [id, fault] = lowering_.faults[index];
        if (fault.severity == Severity::note || consequences_.contains(&fault)) return;
        if (is_known(lowering_.faults[index]) || is_repeated(fault)) return;
        diagnostics_.emplace(index, describe(id, fault, diagnostics_.size() < most_explained));
    }

    /// Of a layer that is applied several times a fault is one, unless it is right for some of what it gets and other
    /// layers were each told to make another number.
    bool is_known(const LayerFault& fault) {
        constexpr std::size_t most_numbers = 16;
        const auto& [code, field] = std::tie(fault.fault.code, fault.fault.field);
        const LoweredLayer& layer = lowering_.layers[fault.layer];
        const std::string symbol = fault.fault.verdict ? fault.fault.verdict->symbol : std::string();
        std::set<std::string>& numbers = known_[{layer.blamed, code, field, symbol}];
        const bool first = numbers.empty();
        if (!numbers.insert(fault.fault.actual).second) return true;
        if (first) return false;
        if (field.empty() || numbers.size() > most_numbers || !fits_elsewhere(*layer.definition, fault.fault))
            return true;
        const std::vector<Maker> makers = find_makers(view_, fault.layer, fault.fault);
        return makers.size() != 1 || makers.front().others != 0;
    }

    bool fits_elsewhere(const LayerDefinition& definition, const Fault& fault) const {
        const auto applications = view_.applications(&definition);
        return std::any_of(applications.begin(), applications.end(), [&](LayerId id) {
            const std::vector<const Fault*> faults = view_.faults(id);
            return std::none_of(faults.begin(), faults.end(), [&](const Fault* other) {
                return other->code == fault.code && other->field == fault.field;
            });
        });
    }

    /// The bounds that are left once all that imply them are mended as their certain fixes say: the strongest first.
    std::vector<std::size_t> outlasting_bounds() const {
        std::vector<std::size_t> bounds;
        std::set<const Fault*> left;
        const auto count = [&](std::size_t i) { return implied_.at(&lowering_.faults[i].fault).size(); };
        for (std::size_t i = 0; i < lowering_.faults.size(); ++i) {
            if (implied_.contains(&lowering_.faults[i].fault)) bounds.push_back(i);
        }
        std::stable_sort(bounds.begin(), bounds.end(),
                         [&](std::size_t a, std::size_t b) { return count(a) < count(b); });
        std::erase_if(bounds, [&](std::size_t i) {
            const Fault* bound = &lowering_.faults[i].fault;
            const std::vector<const Fault*>& stronger = implied_.at(bound);
            const bool outlasts = std::all_of(stronger.begin(), stronger.end(), [&](const Fault* fault) {
                return implied_.contains(fault) ? !left.contains(fault) : mended_.contains(fault);
            });
            if (outlasts) left.insert(bound);
            return !outlasts;
        });
        return bounds;
    }

    /// Whether a condition that cannot be decided was reported already, of another layer.
    bool is_repeated(const Fault& fault) {
        const bool undecided = fault.verdict && fault.verdict->kind == Verdict::Kind::undecided;
        return undecided && !undecided_.insert(fault.condition->to_string()).second;
    }

    Diagnostic describe(LayerId id, const Fault& fault, bool explained) {
        const LoweredLayer& layer = lowering_.layers[id];
        Diagnostic diagnostic;
        diagnostic.code = fault.code;
        diagnostic.severity = fault.severity;
        diagnostic.layer = layer.blamed_path;
        diagnostic.type = lowering_.graph.layers[id].type;
        diagnostic.message = fmt::format("{} `{}` {}", diagnostic.type, lowering_.graph.layers[id].path, fault.message);
        diagnostic.where = span_of(layer, fault);
        diagnostic.expected = fault.expected;
        diagnostic.actual = fault.actual;
        diagnostic.notes = fault.notes;
        if (layer.is_shared())
            diagnostic.notes.push_back(fmt::format("it is `{}` applied again, with the same parameters",
                                                   lowering_.graph.layers[layer.original].path));
        add_verdict(diagnostic, fault, lowering_.graph.ranges);
        if (!explained) return diagnostic;
        diagnostic.chain = trace(view_, id, fault);
        add_size_note(diagnostic, id, fault);
        add_fixes(diagnostic, id, fault);
        return diagnostic;
    }

    SourceSpan span_of(const LoweredLayer& layer, const Fault& fault) const {
        if (layer.is_shared()) return layer.blamed->where;
        if (!fault.field.empty()) return field_span(definition_, *layer.definition, fault.field);
        const bool about_inputs = layer.inputs.size() > 1 && layer.definition->has_from;
        return about_inputs ? field_span(definition_, *layer.definition, "from") : layer.definition->where;
    }

    /// The certain fix is the first that builds, but for one that ends other faults too: then they are one.
    void add_fixes(Diagnostic& diagnostic, LayerId id, const Fault& fault) {
        struct Option {
            Proposal proposal;
            Trial::Outcome outcome;
        };
        std::vector<Option> options;
        for (Proposal& proposal : propose(view_, id, fault)) {
            Trial::Outcome outcome = trial_.try_out(id, fault, proposal.target, proposal.idea);
            const bool suggested =
                proposal.idea.may_be_certain ? is_rules_own(fault, proposal) : proposal.idea.type == "Flatten";
            if (outcome.mends || suggested) options.push_back({std::move(proposal), std::move(outcome)});
        }
        const auto merit = [&](const Option& option) {
            const bool certain =
                option.outcome.mends && option.proposal.idea.may_be_certain && fault.severity == Severity::error;
            return certain ? option.outcome.ended.size() + 1 : 0;
        };
        std::stable_sort(options.begin(), options.end(),
                         [&](const Option& a, const Option& b) { return merit(a) > merit(b); });
        if (!options.empty() && merit(options.front()) > 1)
            consequences_.insert(options.front().outcome.ended.begin(), options.front().outcome.ended.end());
        std::size_t uncertain = 0;
        for (std::size_t i = 0; i < options.size() && uncertain < most_uncertain; ++i) {
            const Option& option = options[i];
            const bool certain = i == 0 && merit(option) > 0;
            if (certain) mended_.insert(&fault);
            if (!certain && !option.outcome.mends && !diagnostic.fixes.empty()) continue;
            if (i > 0 && merit(options.front()) > 0 && is_variant(option.proposal, options.front().proposal)) continue;
            auto fix = writer_.write(id, option.proposal.target, option.proposal.idea, certain);
            if (!fix) continue;
            uncertain += certain ? 0 : 1;
            diagnostic.fixes.push_back(std::move(*fix));
        }
    }

    /// Whether both set fields of one layer.
    static bool is_variant(const Proposal& a, const Proposal& b) {
        return a.target == b.target && a.idea.kind == FixIdea::Kind::set_field &&
               b.idea.kind == FixIdea::Kind::set_field;
    }

    static bool is_rules_own(const Fault& fault, const Proposal& proposal) {
        return std::any_of(fault.fixes.begin(), fault.fixes.end(), [&](const FixIdea& idea) {
            return idea.kind == proposal.idea.kind && idea.type == proposal.idea.type &&
                   idea.fields == proposal.idea.fields;
        });
    }

    /// The one input with a picture or a sequence whose size is fixed.
    const Value* sized_input() const {
        const Value* found = nullptr;
        for (const Value* input : lowering_.graph.inputs()) {
            const Shape& shape = input->type.shape;
            bool sized = shape.rank() >= 3 && !input->type.error;
            for (int i = 2; i < shape.rank(); ++i) sized = sized && shape[i].is_constant();
            if (!sized) continue;
            if (found != nullptr) return nullptr;
            found = input;
        }
        return found;
    }

    /// The shape of the sized input where its sides are `unit` times a number, in the proportion that they have.
    static Shape scaled(const Shape& shape, const Dim& unit) {
        std::int64_t common = 0;
        for (int i = 2; i < shape.rank(); ++i) common = std::gcd(common, shape[i].value());
        Shape result = shape;
        for (int i = 2; i < shape.rank(); ++i) result[i] = Dim(shape[i].value() / common) * unit;
        return result;
    }

    /// Says with which size of the input the number would be right.
    void add_size_note(Diagnostic& diagnostic, LayerId id, const Fault& fault) {
        std::int64_t wanted = 0;
        const auto [end, error] =
            std::from_chars(fault.expected.data(), fault.expected.data() + fault.expected.size(), wanted);
        const auto index = static_cast<std::size_t>(fault.input);
        const std::vector<Value*>& inputs = lowering_.layers[id].inputs;
        if (error != std::errc{} || end != fault.expected.data() + fault.expected.size() || !fault.dim ||
            index >= inputs.size())
            return;
        if (fault.code != "shape/in-features" && fault.code != "shape/in-channels") return;
        const bool lacks_layer = !fault.fixes.empty() && fault.fixes.front().kind != FixIdea::Kind::set_field;
        if (lacks_layer) return;
        const Value* input = sized_input();
        if (input == nullptr || !find_makers(view_, id, fault).empty()) return;
        if (!symbolic_) {
            TensorType type = input->type;
            type.shape = scaled(type.shape, Dim::symbol(side));
            symbolic_ = trial_.infer_all({{input, type}});
        }
        const auto found = symbolic_->find(inputs[index]);
        if (found == symbolic_->end() || found->second.error) return;
        const Shape& shape = found->second.shape;
        const int rank = shape.rank();
        if (*fault.dim >= rank || *fault.dim < -rank ||
            shape[*fault.dim].symbols() != std::vector<std::string>{std::string(side)})
            return;
        const Verdict verdict = solve({shape[*fault.dim], Condition::Relation::eq, wanted}, {});
        if (verdict.valid.empty()) return;
        std::int64_t common = 0;
        for (int i = 2; i < input->type.shape.rank(); ++i) common = std::gcd(common, input->type.shape[i].value());
        const std::int64_t size = nearest(verdict.valid, common);
        constexpr std::int64_t likely = 8;
        if (size / likely > common || common / likely > size) return;
        const Shape other = scaled(input->type.shape, size);
        diagnostic.notes.push_back(fmt::format("with {} = {} it would get {}; this model says {}", input->name,
                                               other.to_string(), wanted, input->type.shape.to_string()));
    }

    /// The least value of the interval that is nearest: sizes just above a multiple of the strides only waste.
    static std::int64_t nearest(const std::vector<Interval>& values, std::int64_t to) {
        const auto distance = [&](const Interval& interval) {
            if (to < interval.min) return interval.min - to;
            return interval.max && to > *interval.max ? to - *interval.max : 0;
        };
        return std::min_element(values.begin(), values.end(),
                                [&](const Interval& a, const Interval& b) { return distance(a) < distance(b); })
            ->min;
    }

    const Definition& definition_;
    const Lowering& lowering_;
    LoweringView view_;
    Trial trial_;
    PatchWriter writer_;
    /// They are said by what implies them.
    ImpliedBounds implied_;
    std::optional<Trial::Types> symbolic_;
    /// By position among the faults.
    std::map<std::size_t, Diagnostic> diagnostics_;
    /// Faults that the certain fix of another one ends.
    std::set<const Fault*> consequences_;
    /// Those that have a certain fix.
    std::set<const Fault*> mended_;
    std::set<std::string> undecided_;
    /// For each rule of a layer, and symbol, the numbers that its faults are about.
    std::map<std::tuple<const LayerDefinition*, std::string, std::string, std::string>, std::set<std::string>> known_;
};

}  // namespace

SourceSpan field_span(const Definition& definition, const LayerDefinition& layer, const std::string& field) {
    if (!definition.document || layer.place == no_place) return layer.where;
    const json::Document& document = *definition.document;
    for (const auto& [renamed, place] : layer.renamed_fields) {
        if (renamed->name == field) return document.value_span(place);
    }
    const json::NodeId id =
        document[layer.place].kind == json::Kind::object ? document.find(layer.place, field) : json::no_node;
    return id == json::no_node ? layer.where : document.value_span(id);
}

std::vector<Diagnostic> report(const Definition& definition, const Lowering& lowering, const ReportOptions& options) {
    if (lowering.faults.empty()) return {};
    return Reporter(definition, lowering, options).run();
}

}  // namespace seq
