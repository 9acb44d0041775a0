#include <doctest/doctest.h>

#include <limits>

#include "graph/ops/activation.hpp"
#include "graph/ops/concat.hpp"
#include "graph/ops/shuffle.hpp"
#include "graph/ops/split.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/kernels.hpp"
#include "tests/cpu/group_harness.hpp"

using namespace seq;
using seq::test::GroupCase;

namespace {

using Sizes = std::vector<std::int64_t>;

struct Example {
    std::int64_t batch;
    Sizes joined;  ///< channels of each input
    std::int64_t groups;
    Sizes cut;  ///< channels of each output; none: the shuffle is the last node
    Sizes pixels{4, 5};
};

Value* add_input(GroupCase& example, const Example& e, std::int64_t channels) {
    Sizes sizes{e.batch, channels};
    sizes.insert(sizes.end(), e.pixels.begin(), e.pixels.end());
    return example.input(std::move(sizes));
}

Value* add_shuffle(GroupCase& example, const Example& e, Value* x) {
    Value* y = example.add(ops::ChannelShuffle{e.groups}, {x});
    return e.cut.empty() ? y : example.add(ops::Split{IntList(e.cut)}, {y});
}

bool runs(GroupCase& example, Value* output) {
    example.finish(output, {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()});
    const bool one = example.run(cpu::channel_shuffle_kernel(), 1, 0);
    CHECK(example.run(cpu::channel_shuffle_kernel(), 3, 0) == one);
    return one;
}

bool runs(const Example& e) {
    CAPTURE(e.groups);
    CAPTURE(e.joined.front());
    GroupCase example;
    std::vector<Value*> inputs;
    for (const std::int64_t channels : e.joined) inputs.push_back(add_input(example, e, channels));
    Value* x = inputs.size() == 1 ? inputs.front() : example.add(ops::Concat{}, inputs);
    return runs(example, add_shuffle(example, e, x));
}

const bool serves = cpu_backend().isa != Isa::scalar;

}  // namespace

TEST_CASE("a join, a shuffle and a cut run as one") {
    for (const Example& e : std::vector<Example>{{1, {58, 58}, 2, {58, 58}, {28, 28}},
                                                 {2, {29, 29}, 2, {15, 43}},
                                                 {3, {1, 1}, 2, {1, 1}, {7}},
                                                 {2, {20, 20}, 2, {1, 38, 1}, {3, 4, 5}},
                                                 {1, {232, 232}, 2, {231, 233}, {7, 7}},
                                                 {2, {24, 24, 24}, 3, {31, 41}},
                                                 {2, {24, 48}, 3, {24, 48}},
                                                 {1, {10, 10}, 4, {3, 17}, {40, 41}},
                                                 {2, {14, 7}, 21, {5, 16}}}) {
        CHECK(runs(e) == serves);
    }
}

TEST_CASE("a shuffle runs as one with what is there before it or after it") {
    CHECK(runs({2, {35, 35}, 2, {}}) == serves);
    CHECK(runs({2, {16, 32}, 6, {}, {30, 31}}) == serves);
    CHECK(runs({2, {70}, 2, {35, 35}}) == serves);
    CHECK(runs({2, {66}, 3, {1, 65}, {9}}) == serves);
    CHECK_FALSE(runs({2, {70}, 2, {}}));
}

TEST_CASE("a value that is joined with itself is shuffled") {
    GroupCase example;
    const Example e{2, {}, 2, {17, 21}};
    Value* x = add_input(example, e, 19);
    CHECK(runs(example, add_shuffle(example, e, example.add(ops::Concat{-3}, {x, x}))) == serves);
}

TEST_CASE("groups that lie in two inputs are left to other kernels") {
    CHECK_FALSE(runs({2, {30, 10}, 2, {20, 20}}));
    CHECK_FALSE(runs({2, {10, 10, 10}, 2, {}}));
}

TEST_CASE("joins and cuts of other dimensions, and values that are read beside, are no part of a shuffle") {
    const Example e{2, {8, 8}, 2, {8, 8}};
    GroupCase rows;
    Value* below = rows.add(ops::Concat{2}, {add_input(rows, e, 16), add_input(rows, e, 16)});
    CHECK_FALSE(runs(rows, add_shuffle(rows, e, below)));

    GroupCase cut;
    Value* y = cut.add(ops::ChannelShuffle{2}, {cut.add(ops::Concat{}, {add_input(cut, e, 8), add_input(cut, e, 8)})});
    CHECK_FALSE(runs(cut, cut.add(ops::Split{IntList{1, 3}, 2}, {y})));

    GroupCase shared;
    Value* joined = shared.add(ops::Concat{}, {add_input(shared, e, 8), add_input(shared, e, 8)});
    Value* shuffled = shared.add(ops::ChannelShuffle{2}, {joined});
    CHECK_FALSE(runs(shared, shared.add(ops::Concat{}, {shuffled, joined})));

    GroupCase activated;
    Value* active =
        activated.add(ops::Concat{}, {add_input(activated, e, 8), add_input(activated, e, 8)}, {{ops::ReLU{}, {}, 0}});
    CHECK_FALSE(runs(activated, add_shuffle(activated, e, active)));
}
