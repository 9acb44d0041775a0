#include "graph/solver_prepare.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "graph/checked.hpp"
#include "graph/solver_bounds.hpp"

namespace seq {
namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
/// The largest magnitude of a symbol, so that the distance of two values is an int64.
constexpr std::int64_t largest = (std::int64_t{1} << 62) - 1;
constexpr std::uint64_t max_joint_enumeration = 4096;

using Relation = Condition::Relation;

bool is_poisoned(const Dim& dim) { return dim.is_unknown() || dim.is_overflow(); }

void set_sides(Problem& problem, const Condition& condition) {
    const bool turned = condition.relation == Relation::le || condition.relation == Relation::lt;
    const bool strict = condition.relation == Relation::gt || condition.relation == Relation::lt;
    problem.left = turned ? condition.rhs : condition.lhs;
    problem.right = turned ? condition.lhs : condition.rhs;
    if (strict) problem.left = problem.left - 1;
}

void set_question(Problem& problem, const Condition& condition) {
    using Kind = Question::Kind;
    if (condition.relation != Relation::divisible) {
        const bool equality = condition.relation == Relation::eq || condition.relation == Relation::ne;
        set_sides(problem, condition);
        problem.question.kind = equality ? Kind::zero : Kind::not_negative;
        problem.question.negated = condition.relation == Relation::ne;
    } else {
        const std::optional<std::int64_t> divisor = condition.rhs.constant();
        problem.left = divisor ? condition.lhs : modulo(condition.lhs, condition.rhs);
        if (divisor == lowest)
            problem.left = Dim::unknown();
        else if (divisor && *divisor != 0)
            problem.question = {Kind::multiple, *divisor < 0 ? -*divisor : *divisor};
    }
    problem.dim = problem.left - problem.right;
}

void replace_symbol(Problem& problem, const Dim& symbol, const Dim& value) {
    for (Dim* dim : {&problem.dim, &problem.left, &problem.right}) *dim = replace(*dim, symbol, value);
}

/// Brings the symbols to the units of their grids. Among several, one that has a single value becomes that value.
void scale_symbols(Problem& problem, const SymbolRanges& ranges) {
    const std::vector<std::string> symbols = problem.dim.symbols();
    for (const std::string& symbol : symbols) {
        const Grid grid = grid_of(range_of(symbol, ranges));
        const Dim name = Dim::symbol(symbol);
        if (symbols.size() > 1 && grid.range.low == grid.range.high) {
            replace_symbol(problem, name, Dim(grid.range.low) * grid.scale);
            continue;
        }
        if (grid.scale != 1) replace_symbol(problem, name, name * grid.scale);
        SymbolRange& scaled = problem.ranges[symbol];
        scaled.min = grid.range.low;
        if (!grid.unbounded) scaled.max = grid.range.high;
    }
}

std::int64_t shared_divisor(const Dim& dim, std::int64_t start) {
    std::int64_t shared = start;
    for (const DimTerm& term : polynomial_of(dim).terms) {
        if (term.coefficient == lowest) return 1;
        shared = std::gcd(shared, term.coefficient);
    }
    return shared;
}

std::optional<bool> decide_by_divisors(const Dim& dim, Question question) {
    const std::int64_t constant = polynomial_of(dim).constant;
    if (question.kind == Question::Kind::not_negative) return std::nullopt;
    const bool multiple = question.kind == Question::Kind::multiple;
    const std::int64_t shared = shared_divisor(dim, multiple ? question.divisor : 0);
    if (shared == 0) return constant == 0;
    if (constant % shared != 0) return false;
    if (multiple && shared == question.divisor) return true;
    return std::nullopt;
}

std::optional<bool> decide_by_bounds(const Problem& problem) {
    if (problem.question.kind == Question::Kind::multiple) return std::nullopt;
    const Bounds whole = bounds_of(problem.dim, problem.ranges);
    const Bounds left = bounds_of(problem.left, problem.ranges);
    const Bounds right = bounds_of(problem.right, problem.ranges);
    Bounds bounds = whole;
    if (left.min != -infinite && right.max != infinite) bounds.min = std::max(whole.min, left.min - right.max);
    if (left.max != infinite && right.min != -infinite) bounds.max = std::min(whole.max, left.max - right.min);
    if (problem.question.kind == Question::Kind::not_negative) {
        if (bounds.min >= 0) return true;
        return bounds.max < 0 ? std::optional(false) : std::nullopt;
    }
    if (bounds.min > 0 || bounds.max < 0) return false;
    return bounds.min == 0 && bounds.max == 0 ? std::optional(true) : std::nullopt;
}

std::optional<bool> answer_for(const Dim& dim, Question question, const Bindings& bindings) {
    const std::optional<std::int64_t> value = dim.evaluate(bindings);
    if (!value) return std::nullopt;
    if (question.kind == Question::Kind::multiple) return *value % question.divisor == 0;
    return question.kind == Question::Kind::zero ? *value == 0 : *value >= 0;
}

std::optional<bool> decide_by_enumeration(const Problem& problem) {
    std::uint64_t count = 1;
    Bindings bindings;
    for (const std::string& symbol : problem.symbols) {
        const SymbolRange& range = problem.ranges.at(symbol);
        if (!range.max) return std::nullopt;
        const std::uint64_t size = static_cast<std::uint64_t>(*range.max) - static_cast<std::uint64_t>(range.min) + 1;
        if (size == 0 || size > max_joint_enumeration) return std::nullopt;
        count *= size;
        if (count > max_joint_enumeration) return std::nullopt;
        bindings[symbol] = range.min;
    }
    const std::optional<bool> first = answer_for(problem.dim, problem.question, bindings);
    for (std::uint64_t i = 1; first && i < count; ++i) {
        for (auto& [symbol, value] : bindings) {
            const SymbolRange& range = problem.ranges.at(symbol);
            if (value++ < *range.max) break;
            value = range.min;
        }
        if (answer_for(problem.dim, problem.question, bindings) != first) return std::nullopt;
    }
    return first;
}

}  // namespace

Grid grid_of(const SymbolRange& range) {
    Grid grid;
    grid.scale = std::max<std::int64_t>(1, range.multiple_of);
    grid.unbounded = !range.max;
    const std::int64_t min = std::clamp(range.min, -largest, largest);
    const std::int64_t max = std::clamp(range.max.value_or(largest), -largest, largest);
    grid.range.high = floor_divide(max, grid.scale);
    grid.range.low = floor_divide(min, grid.scale) + (min % grid.scale != 0 ? 1 : 0);
    return grid;
}

std::optional<Problem> prepare(const Condition& condition, const SymbolRanges& ranges) {
    if (is_poisoned(condition.lhs) || is_poisoned(condition.rhs)) return std::nullopt;
    Problem problem;
    set_question(problem, condition);
    if (is_poisoned(problem.dim)) return std::nullopt;
    scale_symbols(problem, ranges);
    if (is_poisoned(problem.dim)) return std::nullopt;
    problem.symbols = problem.dim.symbols();
    if (!problem.symbols.empty()) return problem;
    std::set<std::string> mentioned;
    for (const Dim* side : {&condition.lhs, &condition.rhs}) {
        for (std::string& symbol : side->symbols()) mentioned.insert(std::move(symbol));
    }
    if (mentioned.size() == 1) problem.symbols = {*mentioned.begin()};
    return problem;
}

void drop_factors(Problem& problem) {
    if (problem.question.kind == Question::Kind::multiple) return;
    const Factors factors = factorize(problem.dim);
    Dim rest = factors.constant < 0 ? -1 : 1;
    for (const auto& [factor, power] : factors.factors) {
        const Bounds bounds = bounds_of(factor, problem.ranges);
        if (bounds.min >= 1) continue;
        if (bounds.max <= -1) {
            if (power % 2 != 0) rest = -rest;
            continue;
        }
        for (int i = 0; i < power; ++i) rest = rest * factor;
    }
    problem.dim = rest;
    problem.left = rest;
    problem.right = 0;
    problem.symbols = rest.symbols();
}

std::optional<bool> decide_jointly(const Problem& problem) {
    if (const auto answer = decide_by_divisors(problem.dim, problem.question)) return answer;
    if (const auto answer = decide_by_bounds(problem)) return answer;
    return decide_by_enumeration(problem);
}

}  // namespace seq
