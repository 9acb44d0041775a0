#include <doctest/doctest.h>

#include <limits>

#include "graph/solver.hpp"

using namespace seq;
using Kind = Verdict::Kind;
using Relation = Condition::Relation;
using Intervals = std::vector<Interval>;

namespace {

const Dim L = Dim::symbol("L");
const Dim H = Dim::symbol("H");
const Dim W = Dim::symbol("W");
const Dim N = Dim::symbol("N");

Dim conv(const Dim& size, std::int64_t kernel, std::int64_t stride = 1, std::int64_t padding = 0,
         std::int64_t dilation = 1) {
    return floor_div(size + 2 * padding - dilation * (kernel - 1) - 1, stride) + 1;
}

Intervals from(std::int64_t min) { return {{min, std::nullopt, 1}}; }
Intervals between(std::int64_t min, std::int64_t max) { return {{min, max, 1}}; }

}  // namespace

TEST_CASE("constants are decided without a symbol") {
    CHECK(solve({400, Relation::eq, 400}, {}).kind == Kind::always);
    CHECK(solve({400, Relation::ne, 400}, {}).kind == Kind::never);
    CHECK(solve({12, Relation::divisible, 5}, {}).kind == Kind::never);
    CHECK(solve({12, Relation::divisible, -4}, {}).kind == Kind::always);
    CHECK(solve({12, Relation::divisible, 0}, {}).kind == Kind::never);
    constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
    CHECK(solve({lowest, Relation::divisible, -1}, {}).kind == Kind::always);
    CHECK(solve({lowest, Relation::lt, std::numeric_limits<std::int64_t>::max()}, {}).kind == Kind::always);
    CHECK(solve({L, Relation::eq, Dim::unknown()}, {}).kind == Kind::undecided);
    CHECK(solve({Dim::overflow(), Relation::eq, 1}, {}).kind == Kind::undecided);
}

TEST_CASE("Conv1d(1, 16, 3), Flatten, Linear(400) works for L = 27 alone") {
    const Condition condition{16 * conv(L, 3), Relation::eq, 400};
    CHECK(condition.to_string() == "16·(L - 2) = 400");
    const Verdict verdict = solve(condition, {});
    CHECK(verdict.kind == Kind::sometimes);
    CHECK(verdict.symbol == "L");
    CHECK(verdict.valid == between(27, 27));
    CHECK(verdict.single_value);
    CHECK_FALSE(verdict.lower_bound_only);
    CHECK(verdict.failing == Intervals{{1, 26, 1}, {28, std::nullopt, 1}});
}

TEST_CASE("three nets in a row and 750 features fit square pictures of 30 to 33") {
    const Dim side = floor_div(conv(floor_div(conv(H, 3), 2), 5), 2);
    const Verdict verdict = solve({30 * side * side, Relation::eq, 750}, {});
    CHECK(verdict.valid == between(30, 33));
    CHECK_FALSE(verdict.single_value);
}

TEST_CASE("a lower bound alone") {
    const Verdict verdict = solve({conv(conv(L, 3, 2), 3), Relation::ge, 1}, {});
    CHECK(verdict.kind == Kind::sometimes);
    CHECK(verdict.lower_bound_only);
    CHECK(verdict.valid == from(7));
    CHECK(verdict.failing == between(1, 6));
    CHECK(solve({conv(L, 3), Relation::ge, 1}, {{"L", {3, 100, 1}}}).kind == Kind::always);
    const Verdict bounded = solve({conv(L, 3), Relation::ge, 1}, {{"L", {1, 100, 1}}});
    CHECK(bounded.lower_bound_only);
    CHECK(bounded.valid == between(3, 100));
    const Verdict stepped = solve({conv(L, 3), Relation::ge, 1}, {{"L", {1, std::nullopt, 2}}});
    CHECK(stepped.valid == Intervals{{4, std::nullopt, 2}});
    CHECK(stepped.failing == between(2, 2));
    CHECK(stepped.lower_bound_only);
    CHECK(solve({conv(L, 9), Relation::ge, 1}, {{"L", {1, 8, 1}}}).kind == Kind::never);
}

TEST_CASE("divisibility gives intervals with steps") {
    const Verdict even = solve({L, Relation::divisible, 2}, {});
    CHECK(even.valid == Intervals{{2, std::nullopt, 2}});
    CHECK(even.failing == Intervals{{1, std::nullopt, 2}});
    CHECK(solve({16 * L, Relation::divisible, 8}, {}).kind == Kind::always);
    CHECK(solve({16 * L + 1, Relation::divisible, 8}, {}).kind == Kind::never);
    CHECK(solve({6 * L, Relation::divisible, 4}, {{"L", {1, 9, 1}}}).valid == Intervals{{2, 8, 2}});
    CHECK(solve({L, Relation::divisible, 4}, {{"L", {1, std::nullopt, 8}}}).kind == Kind::always);
    CHECK(solve({L * L, Relation::divisible, 9}, {}).valid == Intervals{{3, std::nullopt, 3}});
    const Verdict halves = solve({floor_div(L, 2), Relation::divisible, 2}, {{"L", {4, std::nullopt, 1}}});
    CHECK(halves.valid == Intervals{{4, std::nullopt, 4}, {5, std::nullopt, 4}});
    CHECK(solve({100, Relation::divisible, L}, {{"L", {1, 12, 1}}}).valid ==
          Intervals{{1, 2, 1}, {4, 5, 1}, {10, 10, 1}});
}

TEST_CASE("a residual and a skip whose sizes differ by rounding") {
    CHECK(solve({conv(L, 3, 2, 1), Relation::eq, ceil_div(L, 2)}, {}).kind == Kind::always);
    const Verdict add = solve({conv(L, 3, 2, 1), Relation::eq, floor_div(L, 2)}, {});
    CHECK(add.valid == Intervals{{2, std::nullopt, 2}});
    const Verdict unet = solve({floor_div(L, 16) * 16, Relation::eq, L}, {});
    CHECK(unet.valid == Intervals{{16, std::nullopt, 16}});
    const Verdict even = solve({floor_div(L, 2) * 2, Relation::eq, L}, {{"L", {1, std::nullopt, 2}}});
    CHECK(even.kind == Kind::always);
    CHECK(even.symbol == "L");
    CHECK(even.valid == Intervals{{2, std::nullopt, 2}});
    CHECK(solve({floor_div(L, 2) + ceil_div(L, 2), Relation::eq, L}, {}).kind == Kind::always);
}

TEST_CASE("polynomials whose zeros are far away, without enumeration") {
    CHECK(solve({L * L, Relation::eq, 1000000000000}, {}).valid == between(1000000, 1000000));
    CHECK(solve({L * L * L, Relation::ge, 1000000000}, {}).valid == from(1000));
    CHECK(solve({L * floor_div(L, 2), Relation::eq, 500000000000}, {}).valid == between(1000000, 1000000));
    CHECK(solve({(L - 10) * (L - 1000), Relation::lt, 0}, {}).valid == between(11, 999));
    CHECK(solve({(L - 10) * (L - 1000), Relation::ge, 0}, {}).valid == Intervals{{1, 10, 1}, {1000, std::nullopt, 1}});
    CHECK(solve({L * L + 1, Relation::eq, 0}, {}).kind == Kind::never);
    CHECK(solve({L, Relation::ge, 4000000000000000000}, {}).valid == from(4000000000000000000));
}

TEST_CASE("minimum and maximum") {
    CHECK(solve({dim_min(L, 5), Relation::eq, 5}, {}).valid == from(5));
    CHECK(solve({dim_max(L - 3, 0), Relation::eq, 0}, {}).valid == between(1, 3));
    CHECK(solve({dim_min(floor_div(L, 2), dim_max(10 - L, 1)), Relation::eq, 3}, {}).valid == between(6, 7));
    CHECK(solve({dim_min(L, 5), Relation::le, 5}, {}).kind == Kind::always);
    CHECK(solve({dim_min(L * L * L, 5) * L, Relation::ge, 50}, {}).valid == from(10));
}

TEST_CASE("several symbols: bounds, parity, and factors that do not matter") {
    CHECK(solve({N, Relation::eq, N}, {}).kind == Kind::always);
    CHECK(solve({N, Relation::eq, N + 1}, {}).kind == Kind::never);
    CHECK(solve({2 * N, Relation::eq, 2 * H + 1}, {}).kind == Kind::never);
    const Verdict joint = solve({N, Relation::eq, H}, {});
    CHECK(joint.kind == Kind::undecided);
    CHECK(joint.symbol.empty());
    CHECK(joint.valid.empty());
    CHECK(solve({H * W, Relation::ge, 1}, {}).kind == Kind::always);
    CHECK(solve({16 * (H - 2) * (W - 2), Relation::eq, 750}, {}).kind == Kind::never);
    CHECK(solve({16 * (H - 2) * (W - 2), Relation::eq, 640}, {}).kind == Kind::undecided);
    CHECK(solve({(H - 2) * (W - 2), Relation::ge, 1}, {{"H", {3}}, {"W", {3}}}).kind == Kind::always);
    CHECK(solve({H + W, Relation::le, 10}, {{"H", {1, 5}}, {"W", {1, 5}}}).kind == Kind::always);
    CHECK(solve({H + W, Relation::le, 10}, {{"H", {6}}, {"W", {5}}}).kind == Kind::never);
    const Verdict features = solve({N * 16 * (L - 2), Relation::eq, N * 400}, {});
    CHECK(features.symbol == "L");
    CHECK(features.valid == between(27, 27));
    CHECK(solve({H * W, Relation::eq, 30}, {{"H", {5, 5}}}).valid == between(6, 6));
    CHECK(solve({H * W, Relation::divisible, 12}, {{"H", {1, std::nullopt, 4}}, {"W", {1, std::nullopt, 3}}}).kind ==
          Kind::always);
    CHECK(solve({modulo(H, 3) + modulo(W, 3), Relation::eq, 5}, {{"H", {1, 20}}, {"W", {1, 20}}}).kind == Kind::never);
}

TEST_CASE("assumptions leave out values that other conditions refuse") {
    const Dim side = conv(H, 11);
    const Condition features{2 * side * side, Relation::eq, 50};
    CHECK(solve(features, {}).valid == Intervals{{5, 5, 1}, {15, 15, 1}});
    const Condition assumed[] = {{side, Relation::ge, 1}};
    const Verdict verdict = solve(features, {}, assumed);
    CHECK(verdict.valid == between(15, 15));
    CHECK(verdict.failing == Intervals{{11, 14, 1}, {16, std::nullopt, 1}});
    CHECK(solve({side, Relation::ge, 0}, {}, assumed).kind == Kind::always);
    const Condition both[] = {{H, Relation::ge, 3}, {W, Relation::ge, 3}};
    CHECK(solve({(H - 2) * (W - 2), Relation::ge, 1}, {}, both).kind == Kind::always);
}

TEST_CASE("conjunctions") {
    const Condition conditions[] = {{L, Relation::ge, 10}, {L, Relation::divisible, 4}, {L, Relation::lt, 30}};
    const Verdict verdict = solve_all(conditions, {});
    CHECK(verdict.symbol == "L");
    CHECK(verdict.valid == Intervals{{12, 28, 4}});
    const Condition impossible[] = {{L, Relation::ge, 10}, {L, Relation::lt, 10}};
    CHECK(solve_all(impossible, {}).kind == Kind::never);
    const Condition separate[] = {{L, Relation::ge, 10}, {H, Relation::lt, 10}};
    CHECK(solve_all(separate, {}).kind == Kind::sometimes);
    const Condition open[] = {{L, Relation::ge, 10}, {H, Relation::eq, N}};
    CHECK(solve_all(open, {}).kind == Kind::undecided);
    CHECK(solve_all({}, {}).kind == Kind::always);
}

TEST_CASE("each symbol alone") {
    const Condition conditions[] = {
        {L, Relation::ge, 10}, {L, Relation::divisible, 4}, {H, Relation::eq, W}, {N, Relation::ge, 1}};
    const auto each = solve_each(conditions, {{"L", {1, 64, 1}}, {"B", {2, 8, 2}}});
    CHECK(each.size() == 3);
    CHECK(each.at("L") == Intervals{{12, 64, 4}});
    CHECK(each.at("B") == Intervals{{2, 8, 2}});
    CHECK(each.at("N") == from(1));
}

TEST_CASE("ranges without a value meet no condition") {
    CHECK(solve({L, Relation::ge, 1}, {{"L", {5, 6, 4}}}).kind == Kind::never);
    CHECK(solve({L, Relation::ge, 1}, {{"L", {9, 3, 1}}}).kind == Kind::never);
}
