#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/solver.hpp"
#include "graph/solver_symbol.hpp"

namespace seq {

/// The values of a symbol as `scale` times an integer of `range`.
struct Grid {
    IntegerRange range;
    std::int64_t scale = 1;
    bool unbounded = false;
};

/// Values beyond ±2^62 are left out.
Grid grid_of(const SymbolRange& range);

/// A condition brought to one question about one expression. Its symbols are in units of their grids' scales.
struct Problem {
    Dim dim;
    Dim left;  ///< dim is left - right
    Dim right;
    Question question;
    /// Of dim; where it has none, the one symbol that the condition mentions, if it is one.
    std::vector<std::string> symbols;
    SymbolRanges ranges;  ///< of the scaled symbols
};

/// nullopt where a Dim is poisoned or becomes so.
std::optional<Problem> prepare(const Condition& condition, const SymbolRanges& ranges);

/// Leaves out factors that are never 0, and turns the sign for those that are negative.
void drop_factors(Problem& problem);

/// Whether the answer, `negated` left aside, is yes for all values of the symbols, or no for all; nullopt where it
/// depends or is not known.
std::optional<bool> decide_jointly(const Problem& problem);

}  // namespace seq
