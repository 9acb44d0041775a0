#include "tools/seqc/least_values.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace seqc {
namespace {

using Conditions = std::vector<seq::Condition>;

bool is_decided(const seq::Condition& condition) { return condition.lhs.is_constant() && condition.rhs.is_constant(); }

/// The conditions at those values, each once; nullopt where one fails.
std::optional<Conditions> at_values(const Conditions& conditions, const seq::Bindings& values) {
    Conditions bound;
    std::set<std::string> seen;
    for (const auto& [lhs, relation, rhs] : conditions) {
        seq::Condition condition{lhs.substitute(values), relation, rhs.substitute(values)};
        if (is_decided(condition)) {
            if (seq::solve(condition, {}).kind == seq::Verdict::Kind::never) return std::nullopt;
        } else if (seen.insert(condition.to_string()).second) {
            bound.push_back(std::move(condition));
        }
    }
    return bound;
}

class Search {
   public:
    explicit Search(const seq::SymbolRanges& ranges) : ranges_(ranges) {}

    std::optional<seq::Bindings> run(const Conditions& conditions, std::set<std::string> open, std::int64_t limit) {
        effort_ += static_cast<std::int64_t>(conditions.size()) + 1;
        if (effort_ > most_effort) return std::nullopt;
        seq::SymbolRanges ranges;
        for (const std::string& symbol : open) ranges[symbol] = range_of(symbol);
        seq::Bindings values;
        for (const auto& [symbol, valid] : seq::solve_each(conditions, ranges)) {
            if (valid.empty() || valid.front().min > limit) return std::nullopt;
            values[symbol] = valid.front().min;
            open.erase(symbol);
        }
        const auto rest = at_values(conditions, values);
        if (!rest) return std::nullopt;
        if (open.empty()) return values;
        auto others = try_values(*rest, std::move(open), limit);
        if (others) others->merge(values);
        return others;
    }

   private:
    static constexpr std::int64_t most_effort = 50'000;
    static constexpr int most_values = 512;

    seq::SymbolRange range_of(const std::string& symbol) const {
        const auto range = ranges_.find(symbol);
        return range == ranges_.end() ? seq::SymbolRange{} : range->second;
    }

    /// The first symbol takes one value after the other, and the others what they then can.
    std::optional<seq::Bindings> try_values(const Conditions& conditions, std::set<std::string> open,
                                            std::int64_t limit) {
        const std::string symbol = *open.begin();
        open.erase(open.begin());
        std::optional<seq::Bindings> best;
        int tried = 0;
        for (const seq::Interval& interval : alone(symbol, conditions)) {
            for (std::int64_t value = interval.min;
                 value <= std::min(limit, interval.max.value_or(limit)) && tried < most_values;
                 value += interval.step, ++tried) {
                const auto bound = at_values(conditions, {{symbol, value}});
                auto found = bound ? run(*bound, open, limit) : std::nullopt;
                if (!found) continue;
                (*found)[symbol] = value;
                limit = std::max_element(found->begin(), found->end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; })
                            ->second -
                        1;
                best = std::move(found);
            }
        }
        return best;
    }

    /// Where the conditions on that symbol alone hold.
    std::vector<seq::Interval> alone(const std::string& symbol, const Conditions& conditions) const {
        Conditions own;
        std::copy_if(conditions.begin(), conditions.end(), std::back_inserter(own), [&](const seq::Condition& c) {
            return (c.lhs.symbols() == std::vector{symbol} || c.lhs.is_constant()) &&
                   (c.rhs.symbols() == std::vector{symbol} || c.rhs.is_constant());
        });
        const auto valid = seq::solve_each(own, {{symbol, range_of(symbol)}});
        const seq::SymbolRange range = range_of(symbol);
        const std::int64_t least = (range.min + range.multiple_of - 1) / range.multiple_of * range.multiple_of;
        const auto known = valid.find(symbol);
        if (known != valid.end()) return known->second;
        return {{least, range.max, range.multiple_of}};
    }

    const seq::SymbolRanges& ranges_;
    std::int64_t effort_ = 0;
};

}  // namespace

std::set<std::string> input_symbols(const seq::Graph& graph) {
    std::set<std::string> symbols;
    for (const seq::Value* input : graph.inputs()) {
        for (const seq::Dim& dim : input->type.shape) {
            for (const std::string& symbol : dim.symbols()) symbols.insert(symbol);
        }
    }
    return symbols;
}

std::optional<seq::Bindings> least_valid_values(const seq::Graph& graph, const seq::Bindings& given) {
    Conditions conditions;
    for (const seq::GraphCondition& condition : graph.conditions) conditions.push_back(condition.condition);
    const auto bound = at_values(conditions, given);
    if (!bound) return std::nullopt;
    std::set<std::string> open = input_symbols(graph);
    for (const auto& [symbol, value] : given) open.erase(symbol);
    auto values = Search(graph.ranges).run(*bound, std::move(open), std::numeric_limits<std::int64_t>::max());
    if (values) values->insert(given.begin(), given.end());
    return values;
}

}  // namespace seqc
