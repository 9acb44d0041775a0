#include "tools/seqc/least_values.hpp"

#include <algorithm>
#include <set>

namespace seqc {
namespace {

std::set<std::string> input_symbols(const seq::Graph& graph) {
    std::set<std::string> symbols;
    for (const seq::Value* input : graph.inputs()) {
        for (const seq::Dim& dim : input->type.shape) {
            for (const std::string& symbol : dim.symbols()) symbols.insert(symbol);
        }
    }
    return symbols;
}

seq::SymbolRange range_of(const seq::Graph& graph, const std::string& symbol) {
    const auto range = graph.ranges.find(symbol);
    return range == graph.ranges.end() ? seq::SymbolRange{} : range->second;
}

/// The next value of a symbol within its range; false past its end.
bool advance(std::int64_t& value, const seq::SymbolRange& range) {
    value += range.multiple_of;
    return !range.max || value <= *range.max;
}

std::int64_t first_value(const seq::SymbolRange& range) {
    return (range.min + range.multiple_of - 1) / range.multiple_of * range.multiple_of;
}

bool holds(const seq::Graph& graph, const seq::Bindings& bindings) {
    return std::all_of(graph.conditions.begin(), graph.conditions.end(), [&](const seq::GraphCondition& c) {
        const seq::Condition bound{c.condition.lhs.substitute(bindings), c.condition.relation,
                                   c.condition.rhs.substitute(bindings)};
        return seq::solve(bound, {}).kind != seq::Verdict::Kind::never;
    });
}

}  // namespace

seq::Bindings least_valid_values(const seq::Graph& graph, const seq::Bindings& given) {
    constexpr int most_tries = 20000;
    std::vector<seq::Condition> conditions;
    for (const seq::GraphCondition& c : graph.conditions)
        conditions.push_back(
            {c.condition.lhs.substitute(given), c.condition.relation, c.condition.rhs.substitute(given)});
    const auto alone = seq::solve_each(conditions, graph.ranges);

    seq::Bindings values = given;
    std::vector<std::string> open;
    for (const std::string& symbol : input_symbols(graph)) {
        if (given.contains(symbol)) continue;
        const auto solved = alone.find(symbol);
        if (solved != alone.end() && !solved->second.empty()) {
            values[symbol] = solved->second.front().min;
        } else {
            values[symbol] = first_value(range_of(graph, symbol));
            open.push_back(symbol);
        }
    }
    seq::Bindings candidate = values;
    for (int tries = 0; !open.empty() && tries < most_tries; ++tries) {
        if (holds(graph, candidate)) return candidate;
        std::size_t i = 0;
        while (i < open.size() &&
               (candidate[open[i]] - values[open[i]] > 512 || !advance(candidate[open[i]], range_of(graph, open[i])))) {
            candidate[open[i]] = values[open[i]];
            ++i;
        }
        if (i == open.size()) break;
    }
    return values;
}

}  // namespace seqc
