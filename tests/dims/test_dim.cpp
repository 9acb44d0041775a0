#include <doctest/doctest.h>

#include <limits>

#include "graph/checked.hpp"
#include "graph/dim.hpp"
#include "tests/dims/random_dim.hpp"

using namespace seq;
using seq::testing::ExpressionGenerator;
using seq::testing::RawExpression;

namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

const Dim L = Dim::symbol("L");
const Dim H = Dim::symbol("H");
const Dim W = Dim::symbol("W");
const Dim N = Dim::symbol("N");

std::string pretty(const Dim& dim) { return dim.to_string(DimStyle::pretty); }

}  // namespace

TEST_CASE("checked arithmetic") {
    CHECK(checked_add(2, 3) == 5);
    CHECK_FALSE(checked_add(highest, 1));
    CHECK_FALSE(checked_sub(lowest, 1));
    CHECK(checked_mul(-4, 5) == -20);
    CHECK_FALSE(checked_mul(highest, 2));
    CHECK(checked_product({}) == 1);
    const std::int64_t fine[] = {512, 7, 7};
    CHECK(checked_product(fine) == 25088);
    const std::int64_t large[] = {highest, 2, 0};
    CHECK_FALSE(checked_product(large));
}

TEST_CASE("constants need no node, and floor is the mathematical one") {
    CHECK(Dim(3) + Dim(4) == Dim(7));
    CHECK(floor_div(-1, 2) == Dim(-1));
    CHECK(floor_div(7, -2) == Dim(-4));
    CHECK(ceil_div(7, 2) == Dim(4));
    CHECK(ceil_div(-7, 2) == Dim(-3));
    CHECK(modulo(-7, 3) == Dim(2));
    CHECK(dim_min(3, -1) == Dim(-1));
    CHECK(dim_max(3, -1).value() == 3);
    CHECK(Dim(5).constant() == 5);
    CHECK_FALSE(L.constant());
    CHECK(Dim(std::size_t{3}) == Dim(3));
}

TEST_CASE("overflow and unknown poison what is made of them") {
    CHECK((Dim(highest) + 1).is_overflow());
    CHECK((Dim(highest) * L * 2).is_overflow());
    CHECK((Dim(lowest) - 1 + L).is_overflow());
    CHECK(floor_div(lowest, -1).is_overflow());
    CHECK((-Dim(lowest)).is_overflow());
    CHECK((Dim::overflow() * 0).is_overflow());
    CHECK((Dim::overflow() + Dim::unknown()).is_unknown());
    CHECK(floor_div(L, 0).is_unknown());
    CHECK(dim_max(Dim::unknown(), 3).is_unknown());
    CHECK(Dim(std::numeric_limits<std::uint64_t>::max()).is_overflow());
    CHECK_FALSE(Dim::overflow().evaluate({}));
}

TEST_CASE("canonical form") {
    CHECK(L + 1 - L == Dim(1));
    CHECK((L + 1) * (L - 1) == L * L - 1);
    CHECK(H * W == W * H);
    CHECK(floor_div(4 * L + 6, 2) == 2 * L + 3);
    CHECK(floor_div(4 * L + 7, 2) == 2 * L + 3);
    CHECK(floor_div(3 * L + 5, 2) == L + 2 + floor_div(L + 1, 2));
    CHECK(floor_div(floor_div(L, 2), 3) == floor_div(L, 6));
    CHECK(floor_div(floor_div(L - 1, 2) + 1, 2) == floor_div(L + 1, 4));
    CHECK(floor_div(6 * L + 4, 8) == floor_div(3 * L + 2, 4));
    CHECK(floor_div(-L, -2) == floor_div(L, 2));
    CHECK(ceil_div(L, 2) == floor_div(L + 1, 2));
    CHECK(ceil_div(L, N) == -floor_div(-L, N));
    CHECK(floor_div(16 * N * H, N) == 16 * H);
    CHECK(floor_div(16 * N * H, 4 * N) == 4 * H);
    CHECK(floor_div(6 * N * H, 4 * N) == floor_div(3 * H, 2));
    CHECK(floor_div(16 * N * (L - 2), L - 2) == 16 * N);
    CHECK(floor_div(N * (H - 1) * (W - 2), (H - 1) * N) == W - 2);
    CHECK(dim_min(L + 2, L) == L);
    CHECK(dim_max(dim_max(L, H), L + 1) == dim_max(H, L + 1));
    CHECK(dim_min(dim_min(L, H), W) == dim_min(W, dim_min(H, L)));
    CHECK(dim_min(floor_div(L + 1, 2), floor_div(L, 2) + 1) == floor_div(L + 1, 2));
    CHECK(dim_max(H + floor_div(L + 5, 3), H + floor_div(L + 1, 3) + 1) == H + floor_div(L + 5, 3));
    CHECK(dim_min(floor_div(L, 2), floor_div(L, 3)).symbols().size() == 1);
    CHECK_FALSE(L == H);
    CHECK((H * W).hash() == (W * H).hash());
}

TEST_CASE("symbols and substitution") {
    const Dim dim = floor_div(H + 1, 2) * dim_min(W, 7) + N * H;
    CHECK(dim.symbols() == std::vector<std::string>{"H", "N", "W"});
    CHECK(dim.substitute({{"H", 6}, {"W", 9}}) == 21 + 6 * N);
    CHECK(dim.substitute({{"H", 6}, {"W", 9}, {"N", 2}}) == Dim(33));
    CHECK(dim.evaluate({{"H", 6}, {"W", 9}, {"N", 2}}) == 33);
    CHECK_FALSE(dim.evaluate({{"H", 6}}));
    CHECK_FALSE(floor_div(L, N).evaluate({{"L", 6}, {"N", 0}}));
    CHECK_FALSE((L * L).evaluate({{"L", highest}}));
    CHECK((L * L - L * H).evaluate({{"L", highest}, {"H", highest - 1}}) == highest);
}

TEST_CASE("text, as a person would write it") {
    CHECK(pretty(N) == "N");
    CHECK(pretty(L - 2) == "L - 2");
    CHECK(pretty(2 - L) == "2 - L");
    CHECK(pretty(-L - 2) == "-L - 2");
    CHECK(pretty(16 * (L - 2)) == "16·(L - 2)");
    CHECK(pretty(16 * (2 - L)) == "16·(2 - L)");
    CHECK((16 * (L - 2)).to_string() == "16 * (L - 2)");
    CHECK(pretty(floor_div(L - 1, 2) + 1) == "floor((L + 1) / 2)");
    CHECK(pretty(floor_div(L, 2) - 1) == "floor(L / 2) - 1");
    CHECK(pretty(3 * N * H) == "3·H·N");
    CHECK(pretty(16 * (H - 2) * (W - 4)) == "16·(H - 2)·(W - 4)");
    CHECK(pretty(30 * (floor_div(H, 2) - 4) * (floor_div(H, 2) - 4)) == "30·(floor(H / 2) - 4)^2");
    CHECK(pretty((2 * L + 3) * (L - 1)) == "(L - 1)·(2·L + 3)");
    CHECK(pretty(N * (16 * L - 32)) == "16·N·(L - 2)");
    CHECK(pretty(dim_min(L, 5) + dim_max(H, W)) == "min(5, L) + max(H, W)");
    CHECK(pretty(floor_div(L, N)) == "floor(L / N)");
    CHECK(pretty(floor_div(3 * L, N + 1)) == "floor(3·L / (N + 1))");
    CHECK(pretty(Dim(-3)) == "-3");
    CHECK(pretty(Dim::overflow()) == "more than 2^63");
}

TEST_CASE("texts that are no expressions are refused with a place") {
    const char* const bad[] = {"",          "L +",         "(L",    "L)",   "floor(L)", "floor(L + 1 / 2)",
                               "min(",      "foo(L)",      "L L",   "3..4", "L^99",     "L^",
                               "*",         "floor(L / 2", "L / 2", "-",    "min(L,",   "floor(/)",
                               "overflow(", "overflow(3)"};
    for (const char* const text : bad) {
        CAPTURE(text);
        std::string error;
        CHECK_FALSE(Dim::parse(text, &error));
        CHECK(error.find("at column") != std::string::npos);
    }
    CHECK_FALSE(Dim::parse(std::string(100000, '(')));
    CHECK_FALSE(Dim::parse(std::string(100000, '-')));
    CHECK_FALSE(Dim::parse(std::string("L\0", 2)));
    CHECK(Dim::parse("99999999999999999999")->is_overflow());
    CHECK(Dim::parse("-9223372036854775808") == Dim(lowest));
    CHECK(Dim::parse("ceil(L/2)*-3") == std::nullopt);
    CHECK(Dim::parse("min") == Dim::symbol("min"));
    CHECK(Dim::parse("ceil(L/2)*(-3)") == -3 * ceil_div(L, 2));
    CHECK(Dim::parse("?")->is_unknown());
}

TEST_CASE("random expressions: canonical value, text round trip, substitution") {
    ExpressionGenerator generator(20240, {"a", "b", "c"});
    int checked = 0;
    for (int round = 0; round < 4000; ++round) {
        const RawExpression raw = generator.expression(static_cast<int>(generator.number(1, 4)));
        const Dim dim = raw.to_dim();
        CAPTURE(dim.to_string());
        if (!dim.is_unknown()) {
            std::string error;
            const auto parsed = Dim::parse(dim.to_string(), &error);
            CAPTURE(error);
            REQUIRE(parsed.has_value());
            REQUIRE(*parsed == dim);
            REQUIRE(parsed->hash() == dim.hash());
        }
        for (int trial = 0; trial < 8; ++trial) {
            const Bindings bindings = generator.bindings(-20, 40);
            const auto expected = raw.evaluate(bindings);
            if (!expected || dim.is_unknown()) continue;
            ++checked;
            REQUIRE(dim.evaluate(bindings) == expected);
            REQUIRE(dim.substitute(bindings) == Dim(*expected));
        }
    }
    CHECK(checked > 20000);
}

TEST_CASE("expressions that grow without end are given up, quickly") {
    Dim dim = L;
    for (int i = 0; i < 1000; ++i) dim = floor_div(3 * dim + 1, 2) + floor_div(dim, 5) * 7;
    CHECK(dim.is_unknown());
    dim = L;
    for (int i = 0; i < 1000; ++i) dim = dim_min(floor_div(dim, 2) + N, floor_div(dim, 3) * H);
    CHECK(dim.is_unknown());
}
