#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/dim.hpp"

namespace seq {

/// The values that a symbol may take; `max` nullopt: no bound.
struct SymbolRange {
    std::int64_t min = 1;
    std::optional<std::int64_t> max{};
    std::int64_t multiple_of = 1;

    bool operator==(const SymbolRange&) const = default;
};

/// A symbol that is not named here has the range SymbolRange{}.
using SymbolRanges = std::map<std::string, SymbolRange, std::less<>>;

struct Condition {
    enum class Relation {
        eq,
        ne,
        le,
        lt,
        ge,
        gt,
        divisible,  ///< lhs is a multiple of rhs
        broadcast,  ///< lhs and rhs are equal, or one of them is 1
    };
    Dim lhs;
    Relation relation = Relation::eq;
    Dim rhs;

    /// "16·(L - 2) = 400", "L ≥ 3", "L is divisible by 4"; ascii has "==", ">=" and so on.
    std::string to_string(DimStyle style = DimStyle::pretty) const;
    bool operator==(const Condition&) const = default;
};

/// The values min, min + step, ... up to max, both ends included; `max` nullopt: no end.
struct Interval {
    std::int64_t min = 0;
    std::optional<std::int64_t> max;
    std::int64_t step = 1;

    bool operator==(const Interval&) const = default;
};

struct Verdict {
    enum class Kind { always, never, sometimes, undecided };
    Kind kind = Kind::undecided;
    /// Where exactly one symbol is concerned.
    std::string symbol;
    /// Within the symbol's range: where the conditions hold, and where they fail. Disjoint, ascending by min;
    /// both empty where no one symbol decides.
    std::vector<Interval> valid;
    std::vector<Interval> failing;
    /// `valid` is all of the range from some value on.
    bool lower_bound_only = false;
    bool single_value = false;
};

/// Takes each symbol to be an integer of its range (and below 2^62 in magnitude), a divisor not to be 0, and
/// arithmetic to be exact, without overflow. Exact for one symbol, unless periods or sizes pass the solver's limits;
/// a condition on several symbols is decided by bounds, divisibility and factors, and is undecided otherwise. A
/// condition on a poisoned Dim is undecided.
Verdict solve(const Condition& condition, const SymbolRanges& ranges);

/// Where all of `assumed` hold: always, never, or for which of those values. An assumption on another symbol, or
/// one that is not decided, is not used. `failing` too is within the assumptions.
Verdict solve(const Condition& condition, const SymbolRanges& ranges, std::span<const Condition> assumed);

/// The conjunction.
Verdict solve_all(std::span<const Condition> conditions, const SymbolRanges& ranges);

/// For each symbol of `ranges` and of the conditions: the values for which all conditions hold. A symbol that
/// depends on another, or whose conditions cannot be decided, is left out.
std::map<std::string, std::vector<Interval>> solve_each(std::span<const Condition> conditions,
                                                        const SymbolRanges& ranges);

}  // namespace seq
