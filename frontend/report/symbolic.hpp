#pragma once

#include <string>
#include <vector>

#include "graph/diagnostic.hpp"

namespace seq {

/// "27", "30 to 33", "8, 12, 16 to 20": values as a sentence names them; at most a few.
std::string describe(const std::vector<Interval>& values);

/// Adds to a diagnostic for which values of the symbols it holds: its condition, its values, and what it gives
/// beside them: "works for L = 27 alone; 28 gives 416 features and 50 gives 768".
void add_verdict(Diagnostic& diagnostic, const Fault& fault, const SymbolRanges& ranges);

}  // namespace seq
