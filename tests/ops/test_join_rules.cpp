#include "graph/ops/concat.hpp"
#include "graph/ops/slice.hpp"
#include "graph/ops/split.hpp"
#include "tests/ops/outcome.hpp"

using namespace seq;
using namespace seq::test;
using ops::Concat, ops::Slice, ops::Split;

TEST_CASE("Concat adds up one dimension") {
    CHECK(outcome(Concat{}, {{"N", 8, 9, 9}, {"N", 4, 9, 9}, {"N", 6, 9, 9}}) == "[N, 18, 9, 9]");
    CHECK(outcome(Concat{-1}, {{"N", 8, "L"}, {"N", 8, 4}}) == "[N, 8, L + 4]");
    CHECK(outcome(Concat{0}, {{"N"}, {"M"}}) == "[M + N]");
    CHECK(formula(Concat{}, {{"N", 8}, {"N", 4}, {"N", 6}}, 1) == "8 + 4 + 6");
}

TEST_CASE("Concat names the input that differs") {
    const std::vector<Shape> shapes{{"N", 8, 9, 9}, {"N", 4, 9, 9}, {"N", 6, 9, 7}};
    CHECK(outcome(Concat{}, shapes) == "[N, 18, 9, 9] !shape/concat");
    CHECK(
        message(Concat{}, shapes) ==
        "cannot join [N, 8, 9, 9], [N, 4, 9, 9] and [N, 6, 9, 7] along dimension 1: dimension 3 of the third is 7, not 9");
    const Fault fault = applied(Concat{}, shapes).faults[0];
    CHECK(fault.input == 2);
    CHECK(fault.dim == 3);
    // The odd one is at fault also where it comes first.
    CHECK(applied(Concat{}, {{"N", 6, 9, 7}, {"N", 8, 9, 9}, {"N", 4, 9, 9}}).faults[0].input == 0);
    CHECK(outcome(Concat{}, {{"N", 6, 9, 7}, {"N", 8, 9, 9}, {"N", 4, 9, 9}}) == "[N, 18, 9, 9] !shape/concat");
}

TEST_CASE("One input of Concat is one fault, however much of it differs") {
    CHECK(outcome(Concat{}, {{"N", 8, 9, 9}, {"N", 4, 7, 7}}) == "[N, 12, 9, 9] !shape/concat");
    CHECK(applied(Concat{}, {{"N", 8, 9, 9}, {"N", 4, 7, 7}}).alternative->shape.to_string() == "[N, 12, 7, 7]");
    CHECK(outcome(Concat{}, {{"N", 8, 9}, {"N", 4, 7}, {"N", 4, 5}}) == "[N, 16, 9] !shape/concat !shape/concat");
}

TEST_CASE("Concat of another rank, another dtype, no such dimension") {
    const Inference inference = applied(Concat{}, {{"N", 8, 9}, {"N", 4}, {"N", 4, 9}});
    REQUIRE(inference.faults.size() == 1);
    CHECK(inference.faults[0].code == "shape/concat");
    CHECK(inference.faults[0].input == 1);
    CHECK(inference.outputs[0].shape[1].is_unknown());
    CHECK(outcome(Concat{2}, {{"N", 8}, {"N", 4}}) == "[?, ?] !spec/value");
    const std::vector<TensorType> mixed{{DType::f32, {"N", 8}}, {DType::i64, {"N", 4}}};
    CHECK(outcome(infer(Concat{}, mixed, {SymbolRanges{}, BoundedSymbols{}})) == "[N, 12] !dtype/mismatch");
}

TEST_CASE("Concat of symbols holds where they are equal") {
    CHECK(outcome(Concat{}, {{"N", 8, "L"}, {"N", 4, 7}}) == "[N, 12, L] !shape/symbolic");
    CHECK(outcome(Concat{}, {{"N", 8, "L", "L"}, {"N", 4, 7, 7}}) == "[N, 12, L, L] !shape/symbolic");
    const Inference two = applied(Concat{}, {{"N", 8, "L"}, {"N", 4, "M"}});
    CHECK(outcome(two) == "[N, 12, L] ?shape/symbolic");
    REQUIRE(two.conditions.size() == 1);
    CHECK(two.conditions[0].to_string() == "M = L");
}

TEST_CASE("Split cuts into its sizes") {
    CHECK(outcome(Split{.sizes = {5, 7}}, {{"N", 12, 5}}) == "[N, 5, 5] [N, 7, 5]");
    CHECK(outcome(Split{.sizes = {2, 3}, .dim = -1}, {{"N", 12, 5}}) == "[N, 12, 2] [N, 12, 3]");
    CHECK(outcome(Split{.sizes = 5}, {{"N", 12}}) == "[N, 5] [N, 5] [N, 2]");
    const Inference resolved = applied(Split{.sizes = 5}, {{"N", 12}});
    CHECK(resolved.op.as<Split>()->sizes == IntList{5, 5, 2});
    CHECK(resolved.op.output_count() == 3);
}

TEST_CASE("Split refuses sizes that do not add up") {
    CHECK(outcome(Split{.sizes = {5, 6}}, {{"N", 12, 5}}) == "[N, 5, 5] [N, 6, 5] !shape/reshape");
    CHECK(message(Split{.sizes = {5, 6}}, {{"N", 12}}) ==
          "cuts dimension 1 into [5, 6], 11 in all, but it is 12 in [N, 12]");
    CHECK(fixes(Split{.sizes = {5, 6}}, {{"N", 12}}) == "sizes = [5, 7]; sizes = [6, 6]");
    CHECK(fixes(Split{.sizes = {8, 6}}, {{"N", 7}}) == "sizes = [1, 6]");
    CHECK(outcome(Split{.sizes = {5, 6}}, {{"N", "L"}}) == "[N, 5] [N, 6] !shape/symbolic");
    CHECK(outcome(Split{.sizes = {5, 6}, .dim = 2}, {{"N", 11}}) == "[?, ?] [?, ?] !spec/value");
    CHECK(outcome(Split{.sizes = 5}, {{"N", "L"}}) == "[?, ?] !shape/reshape");
    CHECK(outcome(Split{.sizes = 1}, {{"N", std::int64_t{1} << 40}}) == "[?, ?] !spec/limit");
}

TEST_CASE("Slice clamps as PyTorch does") {
    CHECK(outcome(Slice{.dim = 1, .start = 2}, {{"N", 7}}) == "[N, 5]");
    CHECK(outcome(Slice{.dim = 1, .end = -2}, {{"N", 7}}) == "[N, 5]");
    CHECK(outcome(Slice{.dim = 1, .start = -100, .end = 100}, {{"N", 7}}) == "[N, 7]");
    CHECK(outcome(Slice{.dim = -1, .start = 1, .end = 6, .step = 2}, {{"N", 7}}) == "[N, 3]");
    CHECK(outcome(Slice{.dim = 1, .start = -3}, {{"N", 7}}) == "[N, 3]");
}

TEST_CASE("Slice refuses what leaves nothing") {
    CHECK(outcome(Slice{.dim = 1, .start = 7}, {{"N", 7}}).ends_with("!shape/empty"));
    CHECK(outcome(Slice{.dim = 1, .start = 3, .end = 3}, {{"N", 7}}).ends_with("!shape/empty"));
    CHECK(outcome(Slice{.dim = 1, .end = -7}, {{"N", 7}}).ends_with("!shape/empty"));
    CHECK(outcome(Slice{.dim = 2}, {{"N", 7}}) == "[?, ?] !spec/value");
    CHECK(message(Slice{.dim = 1, .start = 3, .end = 3}, {{"N", 7}}) ==
          "would give an output of size 0: 3:3:1 of the 7 in dimension 1");
}

TEST_CASE("Slice of a symbol agrees with PyTorch for every size") {
    const std::vector<std::optional<std::int64_t>> positions{std::nullopt, -9, -5, -1, 0, 1, 4, 9};
    for (const auto start : positions) {
        for (const auto end : positions) {
            for (const std::int64_t step : {1, 3}) {
                const Slice slice{.dim = 0, .start = start, .end = end, .step = step};
                const Inference symbolic = applied(slice, {{"L"}});
                for (std::int64_t size = 1; size <= 12; ++size) {
                    const Inference bound = applied(slice, {{size}});
                    CAPTURE(size);
                    CAPTURE(symbolic.outputs[0].to_string());
                    if (bound.has_error() || symbolic.outputs[0].shape[0].is_unknown()) {
                        CHECK_FALSE(symbolic.faults.empty());
                    } else {
                        CHECK(symbolic.outputs[0].shape[0].evaluate({{"L", size}}) ==
                              bound.outputs[0].shape[0].value());
                    }
                }
            }
        }
    }
}
