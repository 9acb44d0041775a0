#include "graph/ops/permute.hpp"
#include "graph/ops/reshape.hpp"
#include "tests/ops/outcome.hpp"

using namespace seq;
using namespace seq::test;
using ops::Flatten, ops::Permute, ops::Reshape, ops::Squeeze, ops::Transpose, ops::Unflatten, ops::Unsqueeze;

TEST_CASE("Flatten multiplies the dimensions") {
    CHECK(outcome(Flatten{}, {{"N", 512, 14, 14}}) == "[N, 100352]");
    CHECK(outcome(Flatten{}, {{"N", 3, "H", "W"}}) == "[N, 3 * H * W]");
    CHECK(outcome(Flatten{}, {{"N", 3}}) == "[N, 3]");
    CHECK(outcome(Flatten{.start_dim = 0}, {{"N", 3, 5}}) == "[15 * N]");
    CHECK(outcome(Flatten{.start_dim = -3, .end_dim = -2}, {{"N", 3, 5, 7}}) == "[N, 15, 7]");
    CHECK(outcome(Flatten{.start_dim = 0}, {Shape{}}) == "[1]");
    CHECK(formula(Flatten{}, {{"N", 512, 14, 14}}, 1) == "512 · 14 · 14");
    CHECK(formula(Flatten{}, {{"N", 3, Dim("L") - 2}}, 1) == "3 · (L - 2)");
}

TEST_CASE("Flatten refuses dimensions that are not there") {
    CHECK(outcome(Flatten{}, {{"N"}}) == "[N] !shape/rank");
    CHECK(outcome(Flatten{.start_dim = 4}, {{"N", 3}}) == "[N, ?] !spec/value");
    CHECK(outcome(Flatten{.start_dim = 1, .end_dim = 2}, {{"N", 3}}) == "[N, ?] !spec/value");
    CHECK(outcome(Flatten{.start_dim = 2, .end_dim = 1}, {{"N", 3, 4}}) == "[N, ?] !spec/value");
    CHECK(applied(Flatten{.start_dim = 1, .end_dim = 2}, {{"N", 3}}).faults[0].field == "end_dim");
}

TEST_CASE("Unflatten cuts a dimension") {
    CHECK(outcome(Unflatten{.dim = 1, .unflattened_size = {4, 6}}, {{"N", 24}}) == "[N, 4, 6]");
    CHECK(outcome(Unflatten{.dim = 1, .unflattened_size = {4, -1}}, {{"N", 24, 5}}) == "[N, 4, 6, 5]");
    CHECK(outcome(Unflatten{.dim = 0, .unflattened_size = {-1, 4}}, {{Dim(8) * Dim("N"), 3}}) == "[2 * N, 4, 3]");
    CHECK(outcome(Unflatten{.dim = -1, .unflattened_size = {-1}}, {{"N", "L"}}) == "[N, L]");
}

TEST_CASE("Unflatten refuses sizes that do not multiply to the dimension") {
    const Unflatten wrong{.dim = 1, .unflattened_size = {4, 5}};
    CHECK(outcome(wrong, {{"N", 24}}) == "[N, 4, 6] !shape/reshape");
    CHECK(message(wrong, {{"N", 24}}) == "cuts dimension 1 into [4, 5], but it is 24 in [N, 24]");
    CHECK(fixes(wrong, {{"N", 24}}) == "unflattened_size = [4, 6]");
    CHECK(outcome(Unflatten{.dim = 1, .unflattened_size = {5, -1}}, {{"N", 24}}).ends_with("!shape/reshape"));
    CHECK(outcome(Unflatten{.dim = 1, .unflattened_size = {-1, -1}}, {{"N", 24}}) == "[?, ?, ?] !spec/value");
    CHECK(outcome(Unflatten{.dim = 1, .unflattened_size = {0, 4}}, {{"N", 24}}) == "[?, ?, ?] !spec/value");
    CHECK(outcome(Unflatten{.dim = 2, .unflattened_size = {4, 6}}, {{"N", 24}}) == "[?, ?, ?] !spec/value");
    CHECK(outcome(Unflatten{.dim = 1, .unflattened_size = {1, 1, 1, 1, 1, 1, 1, 24}}, {{"N", 24}}) ==
          "error !shape/rank");
}

TEST_CASE("Unflatten of a symbol holds for its multiples, or for one value") {
    const Inference open = applied(Unflatten{.dim = 1, .unflattened_size = {4, -1}}, {{"N", "L"}});
    CHECK(outcome(open) == "[N, 4, floor(L / 4)] ?shape/symbolic");
    REQUIRE(open.conditions.size() == 1);
    CHECK(open.conditions[0].relation == Condition::Relation::divisible);
    const Inference closed = applied(Unflatten{.dim = 1, .unflattened_size = {4, 6}}, {{"N", "L"}});
    CHECK(outcome(closed) == "[N, 4, 6] !shape/symbolic");
    REQUIRE(closed.faults[0].verdict);
    CHECK(closed.faults[0].verdict->valid == std::vector<Interval>{{24, 24, 1}});
    CHECK(outcome(applied(Unflatten{.dim = 1, .unflattened_size = {4, -1}}, {{"N", "L"}}, DType::f32,
                          {{"L", {.multiple_of = 8}}})) == "[N, 4, floor(L / 4)]");
}

TEST_CASE("Reshape keeps, infers and counts") {
    CHECK(outcome(Reshape{{0, -1}}, {{"N", 3, "H", 4}}) == "[N, 12 * H]");
    CHECK(outcome(Reshape{{-1, 6}}, {{"N", 3, 4}}) == "[2 * N, 6]");
    CHECK(outcome(Reshape{{0, 4, 3}}, {{"N", 12}}) == "[N, 4, 3]");
    CHECK(outcome(Reshape{{0, -1, 0}}, {{"N", 12, "L"}}) == "[N, 12, L]");
    CHECK(outcome(Reshape{24}, {{2, 3, 4}}) == "[24]");
    CHECK(formula(Reshape{{0, -1, 4}}, {{"N", 12, 8}}, 1) == "12 · 8 / 4");
    CHECK(formula(Reshape{{0, -1}}, {{"N", 12, 8}}, 1) == "12 · 8");
}

TEST_CASE("Reshape refuses another number of elements") {
    const Reshape wrong{{0, 3, 32, 32}};
    CHECK(outcome(wrong, {{"N", 2048}}) == "[N, 2, 32, 32] !shape/reshape");
    CHECK(message(wrong, {{"N", 2048}}) ==
          "cannot give [N, 2048] the shape [0, 3, 32, 32]: 2048·N elements are not 3072·N");
    CHECK(fixes(wrong, {{"N", 2048}}) == "shape = [0, 2, 32, 32]");
    CHECK(fixes(Reshape{{0, 8, 8}}, {{"N", 128}}) == "shape = [0, 8, 16]; shape = [0, 16, 8]");
    CHECK(outcome(Reshape{{0, -1, 5}}, {{"N", 12}}).ends_with("!shape/reshape"));
    CHECK(outcome(Reshape{{2, 60}}, {{"N", 12, 5}}) == "[2, 60] !shape/symbolic");
    CHECK(outcome(Reshape{{-1, 5}}, {{"N", 12}}) == "[2 * N + floor(2 * N / 5), 5] ?shape/symbolic");
    CHECK(outcome(Reshape{{-1, -1}}, {{"N", 12}}) == "[?, ?] !spec/value");
    CHECK(outcome(Reshape{{1, 12, 0}}, {{"N", 12}}) == "[?, ?, ?] !spec/value");
    CHECK(outcome(Reshape{{1, 1, 1, 1, 1, 1, 1, 1, -1}}, {{"N", 12}}) == "error !shape/rank");
}

TEST_CASE("A wrong -1 leaves a size that nothing after it is blamed for") {
    const Inference inference = applied(Reshape{{0, -1, 5}}, {{"N", 12}});
    REQUIRE(inference.outputs[0].shape.rank() == 3);
    CHECK(inference.outputs[0].shape[1].is_unknown());
    CHECK(outcome(Unflatten{.dim = 1, .unflattened_size = {4, 6}}, {inference.outputs[0].shape}) == "[N, 4, 6, ?]");
}

TEST_CASE("Products that leave 64 bits are reported, not wrapped") {
    const Dim big(std::int64_t{1} << 40);
    CHECK(outcome(Flatten{}, {{"N", big, big}}).ends_with("!shape/limit"));
    CHECK(outcome(Reshape{IntList{-1, std::int64_t{1} << 40, std::int64_t{1} << 40}}, {{"N", 12}})
              .ends_with("!shape/limit"));
}

TEST_CASE("Squeeze removes dimensions of 1 and keeps others, as PyTorch does") {
    CHECK(outcome(Squeeze{1}, {{"N", 1, 5}}) == "[N, 5]");
    CHECK(outcome(Squeeze{-1}, {{"N", 3, 5}}) == "[N, 3, 5]");
    CHECK(outcome(Squeeze{{1, 3}}, {{"N", 1, 5, 1}}) == "[N, 5]");
    CHECK(outcome(Squeeze{3}, {{"N", 1, 5}}) == "[?, ?] !spec/value");
    CHECK(outcome(Squeeze{2}, {{"N", 3, "L"}}) == "[N, 3] !shape/symbolic");
}

TEST_CASE("Unsqueeze adds a dimension") {
    CHECK(outcome(Unsqueeze{1}, {{"N", 5}}) == "[N, 1, 5]");
    CHECK(outcome(Unsqueeze{-1}, {{"N", 5}}) == "[N, 5, 1]");
    CHECK(outcome(Unsqueeze{2}, {{"N", 5}}) == "[N, 5, 1]");
    CHECK(outcome(Unsqueeze{-3}, {{"N", 5}}) == "[1, N, 5]");
    CHECK(outcome(Unsqueeze{3}, {{"N", 5}}) == "[?, ?, ?] !spec/value");
    CHECK(outcome(Unsqueeze{0}, {{1, 1, 1, 1, 1, 1, 1, 1}}) == "error !shape/rank");
}

TEST_CASE("Permute and Transpose reorder") {
    CHECK(outcome(Permute{{0, 3, 1, 2}}, {{"N", 6, 4, 3}}) == "[N, 3, 6, 4]");
    CHECK(outcome(Permute{{0, -1, 1, -2}}, {{"N", 6, 4, 3}}) == "[N, 3, 6, 4]");
    CHECK(outcome(Transpose{1, 2}, {{"N", 6, 4}}) == "[N, 4, 6]");
    CHECK(outcome(Transpose{-1, 0}, {{"N", 6, 4}}) == "[4, 6, N]");
}

TEST_CASE("Permute refuses what is no order of the dimensions") {
    CHECK(outcome(Permute{{0, 2, 1}}, {{"N", 6, 4, 3}}) == "[?, ?, ?] !shape/rank");
    CHECK(message(Permute{{0, 2, 1}}, {{"N", 6, 4, 3}}) == "orders 3 dimensions, but gets 4 in [N, 6, 4, 3]");
    CHECK(outcome(Permute{{0, 1, 1}}, {{"N", 6, 4}}).ends_with("!spec/value"));
    CHECK(outcome(Permute{{0, 1, 3}}, {{"N", 6, 4}}).ends_with("!spec/value"));
    CHECK(outcome(Transpose{0, 3}, {{"N", 6, 4}}) == "[?, ?, ?] !spec/value");
    CHECK_FALSE(ops::permutation_of(Permute{{0, 1, 1}}, 3));
    CHECK_FALSE(ops::permutation_of(Permute{{0, 1, 2}}, 4));
    CHECK_FALSE(ops::permutation_of(Flatten{}, 4));
}
