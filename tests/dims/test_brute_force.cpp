#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "graph/solver.hpp"
#include "tests/dims/random_dim.hpp"

using namespace seq;
using Kind = Verdict::Kind;
using Relation = Condition::Relation;
using seq::testing::ChainGenerator;
using seq::testing::ExpressionGenerator;
using seq::testing::Query;

namespace {

bool holds(const Condition& condition, std::int64_t value) {
    const auto lhs = condition.lhs.evaluate({{"L", value}});
    const auto rhs = condition.rhs.evaluate({{"L", value}});
    if (condition.relation == Relation::broadcast && (lhs == 1 || rhs == 1)) return true;
    if (!lhs || !rhs) return false;
    switch (condition.relation) {
        case Relation::eq: return *lhs == *rhs;
        case Relation::ne: return *lhs != *rhs;
        case Relation::le: return *lhs <= *rhs;
        case Relation::lt: return *lhs < *rhs;
        case Relation::ge: return *lhs >= *rhs;
        case Relation::gt: return *lhs > *rhs;
        case Relation::broadcast: return *lhs == *rhs;
        case Relation::divisible: break;
    }
    return *rhs == 0 ? *lhs == 0 : *lhs % *rhs == 0;
}

/// The members up to `last`; each may occur once only.
std::set<std::int64_t> members(const std::vector<Interval>& intervals, std::int64_t last) {
    std::set<std::int64_t> result;
    for (const Interval& interval : intervals) {
        const std::int64_t max = std::min(last, interval.max.value_or(last));
        for (std::int64_t value = interval.min; value <= max; value += interval.step)
            REQUIRE(result.insert(value).second);
    }
    return result;
}

void check_form(const std::vector<Interval>& intervals) {
    for (std::size_t i = 0; i < intervals.size(); ++i) {
        const Interval& interval = intervals[i];
        CHECK(interval.step >= 1);
        if (interval.max) CHECK((*interval.max - interval.min) % interval.step == 0);
        if (interval.max) CHECK(*interval.max >= interval.min);
        if (interval.max == interval.min) CHECK(interval.step == 1);
        if (i > 0) CHECK(intervals[i - 1].min < interval.min);
    }
}

std::string text_of(const std::vector<Interval>& intervals) {
    std::string text;
    for (const Interval& interval : intervals)
        text += "[" + std::to_string(interval.min) + ", " + (interval.max ? std::to_string(*interval.max) : "null") +
                ", " + std::to_string(interval.step) + "] ";
    return text;
}

bool divides_by_symbol(const Dim& dim) {
    const std::string text = dim.to_string();
    for (std::size_t at = text.find("/ "); at != std::string::npos; at = text.find("/ ", at + 1)) {
        if (text[at + 2] < '0' || text[at + 2] > '9') return true;
    }
    return false;
}

/// Compares with every value of the range, up to `last` where it has no end.
void compare(const Verdict& verdict, const Condition& condition, const SymbolRange& range, std::int64_t last) {
    const std::string text = condition.to_string();
    const std::string valid_text = text_of(verdict.valid);
    CAPTURE(text);
    CAPTURE(valid_text);
    CAPTURE(range.min);
    CAPTURE(range.multiple_of);
    last = range.max.value_or(last);
    std::set<std::int64_t> valid;
    std::set<std::int64_t> failing;
    for (std::int64_t value = range.min; value <= last; ++value) {
        if (value % range.multiple_of == 0) (holds(condition, value) ? valid : failing).insert(value);
    }
    if (verdict.symbol.empty()) {
        REQUIRE((verdict.kind == Kind::always ? failing : valid).empty());
        return;
    }
    REQUIRE(members(verdict.valid, last) == valid);
    REQUIRE(members(verdict.failing, last) == failing);
    check_form(verdict.valid);
    check_form(verdict.failing);
    REQUIRE(verdict.valid.empty() == (verdict.kind == Kind::never));
    if (verdict.kind != Kind::never) REQUIRE(verdict.failing.empty() == (verdict.kind == Kind::always));
    const bool upper = !failing.empty() && !valid.empty() && *failing.rbegin() < *valid.begin();
    if (range.max) {
        REQUIRE(verdict.lower_bound_only == upper);
        REQUIRE(verdict.single_value == (valid.size() == 1));
    } else if (verdict.lower_bound_only) {
        REQUIRE((upper || verdict.valid[0].min > last));
    }
}

}  // namespace

TEST_CASE("chains of convolutions and pools against every value of the range") {
    ChainGenerator generator(7);
    for (int round = 0; round < 3000; ++round) {
        const Condition condition = generator.condition();
        const SymbolRange range = generator.range();
        const Verdict verdict = solve(condition, {{"L", range}});
        const std::string text = condition.to_string();
        CAPTURE(text);
        REQUIRE(verdict.kind != Kind::undecided);
        compare(verdict, condition, range, 1500);
    }
}

TEST_CASE("random expressions in one symbol against every value of the range") {
    ExpressionGenerator generator(11, {"L"});
    int decided = 0;
    for (int round = 0; round < 4000; ++round) {
        const auto relation = static_cast<Relation>(generator.number(0, 7));
        const Dim lhs = generator.expression(4).to_dim();
        const Dim rhs =
            relation == Relation::divisible ? Dim(generator.number(1, 30)) : generator.expression(2).to_dim();
        const Condition condition{lhs, relation, rhs};
        SymbolRange range{generator.number(-20, 20), std::nullopt, generator.number(1, 3)};
        if (generator.number(0, 1) == 0) range.max = range.min + generator.number(0, 300);
        // In units of multiple_of, or where bounds decide, a divisor is taken not to be 0.
        if (divides_by_symbol(lhs) || divides_by_symbol(rhs)) {
            range.multiple_of = 1;
            range.max = range.min + 200;
        }
        const Verdict verdict = solve(condition, {{"L", range}});
        const bool overflows = !divides_by_symbol(lhs) && !lhs.evaluate({{"L", 1000}});
        if (verdict.kind == Kind::undecided || overflows) continue;
        ++decided;
        compare(verdict, condition, range, 1000);
    }
    CHECK(decided > 3000);
}

TEST_CASE("conjunctions against every value of the range") {
    ChainGenerator generator(23);
    for (int round = 0; round < 500; ++round) {
        const SymbolRange range = generator.range();
        const std::int64_t last = range.max.value_or(1000);
        const Condition conditions[] = {generator.condition(), generator.condition(), generator.condition()};
        const auto each = solve_each(conditions, {{"L", range}});
        if (!each.contains("L")) continue;
        std::set<std::int64_t> expected;
        for (std::int64_t value = range.min; value <= last; ++value) {
            const bool all = std::all_of(std::begin(conditions), std::end(conditions),
                                         [&](const Condition& condition) { return holds(condition, value); });
            if (value % range.multiple_of == 0 && all) expected.insert(value);
        }
        REQUIRE(members(each.at("L"), last) == expected);
        const Verdict verdict = solve(conditions[0], {{"L", range}}, std::span(conditions).subspan(1));
        if (verdict.symbol != "L" || verdict.kind == Kind::undecided) continue;
        REQUIRE(members(verdict.valid, last) == expected);
    }
}

TEST_CASE("what layers ask is always decided") {
    ChainGenerator generator(41);
    for (int round = 0; round < 1000; ++round) CHECK(solve(generator.condition(), {}).kind != Kind::undecided);
}

TEST_CASE("any query is answered, whatever the expressions and ranges") {
    ExpressionGenerator generator(97, {"L", "H", "W"});
    for (int round = 0; round < 1000; ++round) {
        const Query query = testing::any_query(generator);
        const auto each = solve_each(query.conditions, query.ranges);
        CHECK(each.size() <= 3);
        const Verdict verdict = solve(query.conditions[0], query.ranges, std::span(query.conditions).subspan(1));
        CHECK((verdict.kind != Kind::undecided || verdict.valid.empty()));
    }
}
