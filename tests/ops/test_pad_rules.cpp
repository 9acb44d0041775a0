#include "graph/ops/pad.hpp"
#include "tests/ops/outcome.hpp"

using namespace seq;
using namespace seq::test;
using ops::CircularPad1d, ops::CircularPad2d, ops::ConstantPad2d, ops::ReflectionPad1d, ops::ReflectionPad2d,
    ops::ReplicationPad2d, ops::ReplicationPad3d, ops::ZeroPad1d, ops::ZeroPad2d;

TEST_CASE("Pads take the last dimension first") {
    CHECK(outcome(ZeroPad2d{{1, 2, 0, 3}}, {{"N", 6, 12, 10}}) == "[N, 6, 15, 13]");
    CHECK(outcome(ZeroPad2d{2}, {{"N", 6, "H", "W"}}) == "[N, 6, H + 4, W + 4]");
    CHECK(outcome(ReplicationPad3d{{1, 0, 0, 2, 3, 3}}, {{"N", 6, 4, 4, 4}}) == "[N, 6, 10, 6, 5]");
    CHECK(formula(ZeroPad2d{{1, 2, 0, 3}}, {{"N", 6, 12, 10}}, 3) == "10 + 1 + 2");
    CHECK(formula(ZeroPad1d{{-1, 2}}, {{"N", 6, "L"}}, 2) == "L - 1 + 2");
}

TEST_CASE("Zero and constant pads take any rank that has the dimensions") {
    CHECK(outcome(ZeroPad1d{{1, 2}}, {{"N"}}) == "[N + 3]");
    CHECK(outcome(ZeroPad1d{{1, 2}}, {{"N", 2, 3, 4}}) == "[N, 2, 3, 7]");
    CHECK(outcome(ConstantPad2d{.padding = 1, .value = 2.5}, {{"N", 3}}) == "[N + 2, 5]");
    CHECK(outcome(ConstantPad2d{.padding = 1}, {{"N"}}) == "error !shape/rank");
}

TEST_CASE("The other pads take [N, C, ...] and [C, ...]") {
    CHECK(outcome(ReflectionPad2d{1}, {{3, 4, 5}}) == "[3, 6, 7]");
    CHECK(outcome(ReflectionPad2d{1}, {{"N", 3, 4, 5}}) == "[N, 3, 6, 7]");
    CHECK(outcome(ReflectionPad2d{1}, {{4, 5}}).ends_with("!shape/rank"));
    CHECK(outcome(ReplicationPad2d{1}, {{"N", 3, 4, 5, 6}}).ends_with("!shape/rank"));
}

TEST_CASE("Negative amounts crop, and must leave something") {
    CHECK(outcome(ZeroPad1d{{-1, -2}}, {{"N", 2, 5}}) == "[N, 2, 2]");
    CHECK(outcome(ZeroPad1d{{-3, -2}}, {{"N", 2, 5}}).ends_with("!shape/empty"));
    CHECK(message(ZeroPad1d{{-3, -2}}, {{"N", 2, 5}}) == "would give an output of length 0: 5 - 3 - 2");
    CHECK(outcome(ZeroPad1d{{-3, -2}}, {{"N", 2, "L"}}) == "[N, 2, L - 5] ~shape/symbolic");
}

TEST_CASE("A reflection needs more elements than it mirrors") {
    CHECK(outcome(ReflectionPad1d{{4, 4}}, {{"N", 2, 5}}) == "[N, 2, 13]");
    CHECK(outcome(ReflectionPad1d{{0, 5}}, {{"N", 2, 5}}) == "[N, 2, 10] !spec/value");
    CHECK(message(ReflectionPad1d{{0, 5}}, {{"N", 2, 5}}) ==
          "mirrors 5 elements, which takes a length of at least 6, but gets 5");
    CHECK(outcome(ReflectionPad2d{5}, {{"N", 2, 4, 4}}) == "[N, 2, 14, 14] !spec/value");
    CHECK(outcome(ReflectionPad2d{5}, {{"N", 2, "H", "H"}}) == "[N, 2, H + 10, H + 10] ~shape/symbolic");
    CHECK(outcome(ReflectionPad1d{3}, {{"N", 2, "L"}}) == "[N, 2, L + 6] ~shape/symbolic");
}

TEST_CASE("A circular pad needs as many elements as it wraps") {
    CHECK(outcome(CircularPad1d{{5, 5}}, {{"N", 2, 5}}) == "[N, 2, 15]");
    CHECK(outcome(CircularPad1d{{6, 0}}, {{"N", 2, 5}}) == "[N, 2, 11] !spec/value");
    CHECK(outcome(CircularPad1d{{5, -1}}, {{"N", 2, 5}}).ends_with("!spec/value"));
    CHECK(outcome(CircularPad2d{1}, {{"N", 2, 5, 5}}) == "[N, 2, 7, 7]");
}

TEST_CASE("A list of the wrong length is refused before it is read") {
    CHECK(outcome(ZeroPad2d{{1, 2}}, {{"N", 6, 12, 10}}) == "error !spec/value");
    CHECK_FALSE(ops::pad_form(ZeroPad2d{{1, 2}}));
    CHECK(op_type<ZeroPad2d>().find_field("padding")->check(std::vector<std::int64_t>{1, 2}));
    CHECK_FALSE(op_type<ZeroPad2d>().find_field("padding")->check(std::vector<std::int64_t>{1, 2, 3, 4}));
}

TEST_CASE("Pads have one form") {
    const auto form = ops::pad_form(ConstantPad2d{.padding = {1, 2, 3, 4}, .value = 7});
    REQUIRE(form);
    CHECK(form->mode == ops::PadMode::constant);
    CHECK(form->value == 7);
    CHECK(form->dims == 2);
    CHECK(form->amounts[0] == ops::PadAmount{3, 4});
    CHECK(form->amounts[1] == ops::PadAmount{1, 2});
    CHECK(ops::pad_form(CircularPad1d{2})->mode == ops::PadMode::circular);
}
