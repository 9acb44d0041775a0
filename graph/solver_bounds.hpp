#pragma once

#include "graph/dim_node.hpp"
#include "graph/solver.hpp"

namespace seq {

/// Stands for no bound; nothing beyond it is told apart.
inline constexpr Wide infinite = Wide{1} << 120;

/// min ≤ value ≤ max; -infinite and infinite where there is no bound.
struct Bounds {
    Wide min = -infinite;
    Wide max = infinite;
};

SymbolRange range_of(const std::string& symbol, const SymbolRanges& ranges);

/// True bounds, which need not be tight. Sums are bounded as products of their factors too.
Bounds bounds_of(const Dim& dim, const SymbolRanges& ranges);

/// How an expression in one symbol goes as the symbol grows.
enum class Trend { constant, nondecreasing, nonincreasing, unknown };

/// Proven from the structure: a sum of parts that go one way, a product of nonnegative ones, a floor of one.
Trend trend_of(const Dim& dim, const SymbolRanges& ranges);

}  // namespace seq
