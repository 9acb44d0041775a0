#include "frontend/report/symbolic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <optional>
#include <utility>

namespace seq {
namespace {

constexpr std::size_t most_intervals = 4;
constexpr std::int64_t search_limit = 4096;

std::string describe(const Interval& interval) {
    if (interval.max && *interval.max == interval.min) return std::to_string(interval.min);
    const std::string step = interval.step == 1 ? "" : fmt::format(" in steps of {}", interval.step);
    if (!interval.max) return fmt::format("{} and more{}", interval.min, step);
    return fmt::format("{} to {}{}", interval.min, *interval.max, step);
}

/// What to call the thing that a field counts.
std::string_view noun(const std::string& field) {
    if (field == "in_features") return " features";
    if (field == "in_channels" || field == "num_features" || field == "num_channels") return " channels";
    return "";
}

/// Values of one symbol, tried one by one.
class Samples {
   public:
    Samples(const Fault& fault, const SymbolRanges& ranges)
        : condition_(*fault.condition), symbol_(fault.verdict->symbol), noun_(noun(fault.field)) {
        if (const auto range = ranges.find(symbol_); range != ranges.end()) range_ = range->second;
    }

    bool in_range(std::int64_t value) const {
        return value >= range_.min && (!range_.max || value <= *range_.max) && value % range_.multiple_of == 0;
    }
    /// Whether one side is a number, so that the other's values tell something.
    bool compares() const {
        return condition_.lhs.is_constant() != condition_.rhs.is_constant() &&
               condition_.relation != Condition::Relation::divisible &&
               condition_.relation != Condition::Relation::broadcast;
    }
    std::int64_t step() const { return range_.multiple_of; }
    std::int64_t least() const { return (range_.min + step() - 1) / step() * step(); }

    /// The side of the condition that has the symbol.
    std::optional<std::int64_t> given(std::int64_t value) const {
        const Dim& side = condition_.lhs.is_constant() ? condition_.rhs : condition_.lhs;
        return side.evaluate({{symbol_, value}});
    }

    /// "28 gives 416 features and 50 gives 768", of those values that are in range.
    std::string text(std::initializer_list<std::int64_t> values) const {
        std::string text;
        for (const std::int64_t value : values) {
            const auto result = in_range(value) ? given(value) : std::nullopt;
            if (!result) continue;
            text += text.empty() ? fmt::format("{} gives {}{}", value, *result, noun_)
                                 : fmt::format(" and {} gives {}", value, *result);
        }
        return text;
    }

    /// Where a size must reach a bound: the largest value in range, which gives most.
    std::optional<std::int64_t> most_of_bound() const {
        if (condition_.relation != Condition::Relation::ge || !range_.max) return std::nullopt;
        return *range_.max / range_.multiple_of * range_.multiple_of;
    }

    /// Neighbours of which one gives less than is wanted and the next one more.
    std::pair<std::int64_t, std::int64_t> around() const {
        const Dim& wanted = condition_.lhs.is_constant() ? condition_.lhs : condition_.rhs;
        if (!wanted.is_constant()) return {least(), least() + step()};
        for (std::int64_t value = least(), tried = 0; in_range(value) && tried < search_limit;
             value += step(), ++tried) {
            const auto result = given(value);
            if (result && *result > wanted.value()) return {value - step(), value};
        }
        return {least(), least() + step()};
    }

   private:
    const Condition& condition_;
    std::string symbol_;
    std::string_view noun_;
    SymbolRange range_;
};

/// The first of 10, 20, 50, 100, ... that is more than `value`.
std::int64_t rounder(std::int64_t value) {
    for (std::int64_t unit = 10; unit <= std::numeric_limits<std::int64_t>::max() / 100; unit *= 10) {
        for (const std::int64_t factor : {1, 2, 5}) {
            if (unit * factor > value) return unit * factor;
        }
    }
    return value;
}

std::string contrast(const Verdict& verdict, const Samples& samples) {
    if (!samples.compares()) return {};
    if (verdict.valid.empty()) {
        if (const auto most = samples.most_of_bound()) return samples.text({*most});
        const auto [below, above] = samples.around();
        return samples.text({below, above});
    }
    const Interval& first = verdict.valid.front();
    if (verdict.single_value) {
        const std::int64_t next = first.min + samples.step();
        const std::int64_t round = rounder(next) / samples.step() * samples.step();
        return round > next ? samples.text({next, round}) : samples.text({next});
    }
    const auto last = verdict.valid.back().max;
    const std::int64_t below = first.min - samples.step();
    return last ? samples.text({below, *last + samples.step()}) : samples.text({below});
}

/// The values of the range that are not valid. A verdict begins where the layers before it work.
std::vector<Interval> failing_in(const SymbolRange& range, const Verdict& verdict) {
    std::vector<Interval> failing = verdict.failing;
    const std::int64_t step = range.multiple_of;
    const std::int64_t least = (range.min + step - 1) / step * step;
    std::int64_t begin = verdict.valid.front().min;
    if (!failing.empty()) begin = std::min(begin, failing.front().min);
    if (begin <= least) return failing;
    const bool follows = !failing.empty() && failing.front().min == begin && failing.front().step == step;
    if (follows) {
        failing.front().min = least;
    } else {
        failing.insert(failing.begin(), {least, begin - step, begin - step == least ? 1 : step});
    }
    return failing;
}

std::string verdict_text(const Verdict& verdict) {
    const std::string& symbol = verdict.symbol;
    if (verdict.valid.empty()) return fmt::format("no value of {} works", symbol);
    if (verdict.single_value) return fmt::format("works for {} = {} alone", symbol, verdict.valid.front().min);
    if (verdict.lower_bound_only && verdict.valid.front().step == 1)
        return fmt::format("needs {} ≥ {}", symbol, verdict.valid.front().min);
    return fmt::format("works for {} = {}", symbol, describe(verdict.valid));
}

}  // namespace

std::string describe(const std::vector<Interval>& values) {
    std::string text;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i == most_intervals && values.size() > most_intervals + 1)
            return text + fmt::format(" and {} more ranges", values.size() - i);
        if (i > 0) text += i + 1 == values.size() ? " and " : ", ";
        text += describe(values[i]);
    }
    return text;
}

void add_verdict(Diagnostic& diagnostic, const Fault& fault, const SymbolRanges& ranges) {
    if (fault.condition) diagnostic.condition = fault.condition->to_string();
    if (!fault.condition || !fault.verdict) return;
    const Verdict& verdict = *fault.verdict;
    if (verdict.kind == Verdict::Kind::undecided) {
        diagnostic.notes.push_back(fmt::format("it cannot be told for which values {}; it is checked when they are set",
                                               diagnostic.condition));
        return;
    }
    if (verdict.symbol.empty()) {
        diagnostic.notes.push_back(
            verdict.kind == Verdict::Kind::never
                ? fmt::format("{} holds for no values of the symbols", diagnostic.condition)
                : fmt::format("it works where {}, which is checked when they are set", diagnostic.condition));
        return;
    }
    diagnostic.valid[verdict.symbol] = verdict.valid;
    const std::string others = contrast(verdict, Samples(fault, ranges));
    diagnostic.notes.push_back(verdict_text(verdict) + (others.empty() ? "" : "; " + others));
    const auto range = ranges.find(verdict.symbol);
    if (range == ranges.end() || !range->second.max || verdict.valid.empty()) return;
    const std::vector<Interval> failing = failing_in(range->second, verdict);
    if (!failing.empty())
        diagnostic.notes.push_back(
            fmt::format("of the range that `dims` gives, it fails for {} = {}", verdict.symbol, describe(failing)));
}

}  // namespace seq
