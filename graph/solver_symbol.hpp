#pragma once

#include <optional>
#include <string>

#include "graph/dim_node.hpp"
#include "graph/solver_set.hpp"

namespace seq {

/// What is asked of an expression.
struct Question {
    enum class Kind { zero, not_negative, multiple };
    Kind kind = Kind::zero;
    std::int64_t divisor = 1;  ///< of multiple; ≥ 1
    bool negated = false;      ///< the other answer is wanted
};

/// For which values of `symbol` in `range` the answer is yes; no other symbol occurs in `dim`. A value for which `dim`
/// divides by 0 is not among them. nullopt where it would take too long to find out.
std::optional<IntegerSet> solve_symbol(const Dim& dim, Question question, const std::string& symbol,
                                       IntegerRange range);

}  // namespace seq
