#include "graph/solver.hpp"

#include <algorithm>

#include "graph/solver_bounds.hpp"
#include "graph/solver_prepare.hpp"

namespace seq {
namespace {

using Kind = Verdict::Kind;
using Relation = Condition::Relation;

/// What is known of one condition: a verdict for all values, or where it holds for one symbol, or that it is undecided.
struct Finding {
    Kind kind = Kind::undecided;
    std::vector<std::string> symbols;  ///< none where constants decide
    std::optional<IntegerSet> set;     ///< where one symbol decides
};

Kind kind_of(bool holds) { return holds ? Kind::always : Kind::never; }

Kind kind_of(const IntegerSet& valid, const IntegerSet& failing) {
    if (failing.is_empty()) return Kind::always;
    return valid.is_empty() ? Kind::never : Kind::sometimes;
}

bool compare_constants(std::int64_t a, Relation relation, std::int64_t b) {
    switch (relation) {
        case Relation::eq: return a == b;
        case Relation::ne: return a != b;
        case Relation::le: return a <= b;
        case Relation::lt: return a < b;
        case Relation::ge: return a >= b;
        case Relation::gt: return a > b;
        case Relation::broadcast: return a == b || a == 1 || b == 1;
        case Relation::divisible: break;
    }
    if (b == 0) return a == 0;
    return b == -1 || a % b == 0;
}

/// For a problem with one symbol.
Finding examine_symbol(const Problem& problem, const SymbolRanges& ranges) {
    Finding finding;
    finding.symbols = problem.symbols;
    const std::string& symbol = problem.symbols[0];
    const Grid grid = grid_of(range_of(symbol, ranges));
    if (grid.range.is_empty()) {
        finding.kind = Kind::never;
        return finding;
    }
    finding.set = solve_symbol(problem.dim, problem.question, symbol, grid.range);
    if (!finding.set) {
        if (const auto answer = decide_jointly(problem))
            finding.set = IntegerSet(grid.range, *answer != problem.question.negated);
    }
    if (finding.set) finding.kind = kind_of(*finding.set, finding.set->complement());
    return finding;
}

/// Where one of the findings, all on `symbol` or on constants, holds.
std::optional<IntegerSet> unite(std::span<const Finding> findings, IntegerRange range) {
    std::optional<IntegerSet> result = IntegerSet(range, false);
    for (const Finding& finding : findings) {
        if (!finding.set && finding.kind == Kind::undecided) return std::nullopt;
        result = result->unite(finding.set ? *finding.set : IntegerSet(range, finding.kind == Kind::always));
        if (!result) return std::nullopt;
    }
    return result;
}

std::vector<std::string> symbols_of(std::span<const Finding> findings) {
    std::vector<std::string> symbols;
    for (const Finding& finding : findings)
        symbols.insert(symbols.end(), finding.symbols.begin(), finding.symbols.end());
    std::sort(symbols.begin(), symbols.end());
    symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
    return symbols;
}

/// What is known of a condition that holds where one of `parts` does.
Finding any_of(std::vector<Finding> parts, const SymbolRanges& ranges) {
    Finding finding;
    const auto is_always = [](const Finding& part) { return part.kind == Kind::always; };
    if (const auto part = std::find_if(parts.begin(), parts.end(), is_always); part != parts.end()) return *part;
    finding.symbols = symbols_of(parts);
    std::erase_if(parts,
                  [&](const Finding& part) { return part.kind == Kind::never && part.symbols != finding.symbols; });
    if (!parts.empty()) finding.symbols = symbols_of(parts);
    const bool refuted =
        std::all_of(parts.begin(), parts.end(), [](const Finding& part) { return part.kind == Kind::never; });
    if (refuted) finding.kind = Kind::never;
    if (finding.symbols.size() != 1) return finding;
    const Grid grid = grid_of(range_of(finding.symbols[0], ranges));
    if (grid.range.is_empty()) return finding;
    finding.set = unite(parts, grid.range);
    if (finding.set) finding.kind = kind_of(*finding.set, finding.set->complement());
    return finding;
}

Finding examine(const Condition& condition, const SymbolRanges& ranges) {
    Finding finding;
    if (condition.relation == Relation::broadcast) {
        const auto& [lhs, relation, rhs] = condition;
        return any_of({examine({lhs, Relation::eq, rhs}, ranges), examine({lhs, Relation::eq, 1}, ranges),
                       examine({rhs, Relation::eq, 1}, ranges)},
                      ranges);
    }
    if (condition.lhs.is_constant() && condition.rhs.is_constant()) {
        finding.kind = kind_of(compare_constants(condition.lhs.value(), condition.relation, condition.rhs.value()));
        return finding;
    }
    std::optional<Problem> problem = prepare(condition, ranges);
    if (!problem) {
        finding.symbols = (condition.lhs + condition.rhs).symbols();
        return finding;
    }
    std::optional<bool> answer;
    for (const bool dropped : {false, true}) {
        if (dropped) drop_factors(*problem);
        if (problem->symbols.size() == 1) return examine_symbol(*problem, ranges);
        answer = decide_jointly(*problem);
        if (answer) break;
    }
    finding.symbols = problem->symbols;
    if (answer) finding.kind = kind_of(*answer != problem->question.negated);
    return finding;
}

bool is_upper_part(const std::vector<Interval>& valid, const std::vector<Interval>& all) {
    return valid.size() == 1 && all.size() == 1 && valid[0].max == all[0].max && valid[0].min > all[0].min &&
           (valid[0].step == all[0].step || valid[0].max == valid[0].min);
}

/// The verdict for one symbol within `domain`.
Verdict verdict_of(const std::string& symbol, const IntegerSet& set, const IntegerSet& domain, const Grid& grid) {
    Verdict verdict;
    verdict.symbol = symbol;
    const auto valid = set.intersect(domain);
    const auto failing = domain.intersect(set.complement());
    if (!valid || !failing) return verdict;
    verdict.kind = kind_of(*valid, *failing);
    verdict.valid = valid->intervals(grid.scale, grid.unbounded);
    verdict.failing = failing->intervals(grid.scale, grid.unbounded);
    const auto all = IntegerSet(grid.range, true).intervals(grid.scale, grid.unbounded);
    verdict.lower_bound_only = verdict.kind == Kind::sometimes && is_upper_part(verdict.valid, all);
    verdict.single_value = verdict.valid.size() == 1 && verdict.valid[0].max == verdict.valid[0].min;
    return verdict;
}

/// Where the assumptions on `symbol` alone hold.
IntegerSet assumed_domain(const std::string& symbol, const Grid& grid, const SymbolRanges& ranges,
                          std::span<const Condition> assumed) {
    IntegerSet domain(grid.range, true);
    for (const Condition& condition : assumed) {
        const Finding finding = examine(condition, ranges);
        if (!finding.set || finding.symbols != std::vector{symbol}) continue;
        if (auto narrower = domain.intersect(*finding.set)) domain = std::move(*narrower);
    }
    return domain;
}

/// `ranges` with the symbols of `names` kept to where the assumptions can hold.
SymbolRanges narrow(const SymbolRanges& ranges, std::span<const std::string> names,
                    std::span<const Condition> assumed) {
    SymbolRanges narrowed = ranges;
    for (const std::string& name : names) {
        SymbolRange range = range_of(name, ranges);
        const Grid grid = grid_of(range);
        if (grid.range.is_empty()) continue;
        const auto intervals = assumed_domain(name, grid, ranges, assumed).intervals(grid.scale, grid.unbounded);
        if (intervals.empty()) continue;
        range.min = intervals.front().min;
        range.max = intervals.front().max;
        for (const Interval& interval : intervals) {
            if (!interval.max || !range.max) {
                range.max = std::nullopt;
            } else {
                range.max = std::max(*range.max, *interval.max);
            }
        }
        narrowed[name] = range;
    }
    return narrowed;
}

Verdict conclude(const Finding& finding, const SymbolRanges& ranges, std::span<const Condition> assumed) {
    Verdict verdict;
    verdict.kind = finding.kind;
    if (finding.symbols.size() != 1) return verdict;
    verdict.symbol = finding.symbols[0];
    if (!finding.set) return verdict;
    const Grid grid = grid_of(range_of(verdict.symbol, ranges));
    const IntegerSet domain = assumed_domain(verdict.symbol, grid, ranges, assumed);
    return verdict_of(verdict.symbol, *finding.set, domain, grid);
}

/// The conditions on each symbol alone, joined.
struct Conjunction {
    bool impossible = false;
    std::map<std::string, IntegerSet> sets;
    std::vector<std::string> open;  ///< symbols of conditions that are not decided for one symbol alone
};

Conjunction join(std::span<const Condition> conditions, const SymbolRanges& ranges) {
    Conjunction result;
    for (const Condition& condition : conditions) {
        const Finding finding = examine(condition, ranges);
        if (!finding.set) {
            if (finding.kind == Kind::always) continue;
            if (finding.kind == Kind::never) result.impossible = true;
            result.open.insert(result.open.end(), finding.symbols.begin(), finding.symbols.end());
            if (finding.symbols.empty() && finding.kind == Kind::undecided) result.open.emplace_back();
            continue;
        }
        const std::string& symbol = finding.symbols[0];
        const auto [known, inserted] = result.sets.try_emplace(symbol, *finding.set);
        if (inserted) continue;
        if (auto both = known->second.intersect(*finding.set)) {
            known->second = std::move(*both);
        } else {
            result.open.push_back(symbol);
        }
    }
    return result;
}

std::string_view text_of(Relation relation, bool pretty) {
    switch (relation) {
        case Relation::eq: return pretty ? " = " : " == ";
        case Relation::ne: return pretty ? " ≠ " : " != ";
        case Relation::le: return pretty ? " ≤ " : " <= ";
        case Relation::lt: return " < ";
        case Relation::ge: return pretty ? " ≥ " : " >= ";
        case Relation::gt: return " > ";
        case Relation::divisible: return " is divisible by ";
        case Relation::broadcast: break;
    }
    return {};
}

/// "N = 4 or N = 1", "M = N or one of them is 1".
std::string broadcast_text(const Condition& condition, DimStyle style) {
    const bool constant = condition.lhs.is_constant();
    const Dim& first = constant ? condition.rhs : condition.lhs;
    const Dim& second = constant ? condition.lhs : condition.rhs;
    const std::string equal = std::string(text_of(Relation::eq, style == DimStyle::pretty));
    const std::string name = first.to_string(style);
    const std::string text = name + equal + second.to_string(style);
    return text + (second.is_constant() ? " or " + name + equal + "1" : " or one of them is 1");
}

}  // namespace

std::string Condition::to_string(DimStyle style) const {
    if (relation == Relation::broadcast) return broadcast_text(*this, style);
    std::string text = lhs.to_string(style);
    text += text_of(relation, style == DimStyle::pretty);
    return text + rhs.to_string(style);
}

Verdict solve(const Condition& condition, const SymbolRanges& ranges) { return solve(condition, ranges, {}); }

Verdict solve(const Condition& condition, const SymbolRanges& ranges, std::span<const Condition> assumed) {
    const Finding finding = examine(condition, ranges);
    if (finding.symbols.size() < 2 || finding.kind != Kind::undecided || assumed.empty())
        return conclude(finding, ranges, assumed);
    const SymbolRanges narrowed = narrow(ranges, finding.symbols, assumed);
    const Finding second = examine(condition, narrowed);
    return second.symbols.size() == 1 ? conclude(second, ranges, assumed) : conclude(second, narrowed, {});
}

Verdict solve_all(std::span<const Condition> conditions, const SymbolRanges& ranges) {
    const Conjunction joined = join(conditions, ranges);
    Verdict verdict;
    std::vector<Verdict> parts;
    bool sometimes = false;
    bool never = joined.impossible;
    for (const auto& [symbol, set] : joined.sets) {
        const Grid grid = grid_of(range_of(symbol, ranges));
        parts.push_back(verdict_of(symbol, set, IntegerSet(grid.range, true), grid));
        never = never || parts.back().kind == Kind::never;
        sometimes = sometimes || parts.back().kind == Kind::sometimes;
    }
    if (parts.size() == 1 && joined.open.empty() && !joined.impossible) return parts[0];
    if (!never && !joined.open.empty()) return verdict;
    verdict.kind = never ? Kind::never : (sometimes ? Kind::sometimes : Kind::always);
    return verdict;
}

std::map<std::string, std::vector<Interval>> solve_each(std::span<const Condition> conditions,
                                                        const SymbolRanges& ranges) {
    const Conjunction joined = join(conditions, ranges);
    std::map<std::string, std::vector<Interval>> result;
    const auto add = [&](const std::string& symbol) {
        const bool open = std::find(joined.open.begin(), joined.open.end(), symbol) != joined.open.end();
        if (open || result.contains(symbol)) return;
        const Grid grid = grid_of(range_of(symbol, ranges));
        std::vector<Interval>& intervals = result[symbol];
        if (joined.impossible || grid.range.is_empty()) return;
        const auto known = joined.sets.find(symbol);
        const IntegerSet set = known == joined.sets.end() ? IntegerSet(grid.range, true) : known->second;
        intervals = set.intervals(grid.scale, grid.unbounded);
    };
    for (const auto& [symbol, range] : ranges) add(symbol);
    for (const Condition& condition : conditions) {
        for (const Dim* side : {&condition.lhs, &condition.rhs}) {
            for (const std::string& symbol : side->symbols()) add(symbol);
        }
    }
    return result;
}

}  // namespace seq
