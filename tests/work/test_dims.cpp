#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>

#include "graph/solver.hpp"
#include "tests/dims/random_dim.hpp"
#include "tests/work/executed_blocks.hpp"

using namespace seq;
using namespace seq::test;

namespace {

std::uint64_t work(const std::function<void()>& call) {
    const std::uint64_t before = executed_blocks();
    call();
    return executed_blocks() - before;
}

}  // namespace

TEST_CASE("an operation on constants takes as little after a hundred thousand others") {
    const auto operate = [](int count) {
        Dim total = 0;
        for (int i = 1; i <= count; ++i) total = floor_div(total + 2 * Dim(i) - 3, 2) + 1;
        CHECK(total.is_constant());
    };
    CHECK(work([&] { operate(100'000); }) < 100'000 * 200);
}

TEST_CASE("what layers ask of sizes takes little") {
    seq::testing::ChainGenerator generator(41);
    std::uint64_t sum = 0;
    for (int round = 0; round < 1000; ++round) {
        const Condition condition = generator.condition();
        sum += work([&] { solve(condition, {}); });
    }
    CHECK(sum < 1000 * 50'000);  // about 12 thousand each
}

TEST_CASE("no query takes much, whatever the expressions and ranges") {
    seq::testing::ExpressionGenerator generator(97, {"L", "H", "W"});
    std::uint64_t most = 0;
    for (int round = 0; round < 1000; ++round) {
        most = std::max(most, work([&] {
                            const seq::testing::Query query = seq::testing::any_query(generator);
                            solve_each(query.conditions, query.ranges);
                            solve(query.conditions[0], query.ranges, std::span(query.conditions).subspan(1));
                        }));
    }
    CHECK(most < 300'000'000);  // about 90 million
}
