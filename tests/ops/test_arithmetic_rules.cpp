#include <algorithm>

#include "graph/ops/arithmetic.hpp"
#include "graph/ops/matmul.hpp"
#include "graph/ops/reduce.hpp"
#include "tests/ops/outcome.hpp"

using namespace seq;
using namespace seq::test;
using ops::Add, ops::Div, ops::MatMul, ops::Mean, ops::Mul, ops::Sub, ops::Sum;

namespace {

std::string mixed(const Op& op, const std::vector<TensorType>& inputs) {
    return outcome(infer(op, inputs, {SymbolRanges{}, BoundedSymbols{}}));
}

}  // namespace

TEST_CASE("Arithmetic broadcasts") {
    CHECK(outcome(Add{}, {{"N", 16, 8, 8}, {"N", 16, 8, 8}}) == "[N, 16, 8, 8]");
    CHECK(outcome(Mul{}, {{"N", 16, 8, 8}, {"N", 16, 1, 1}}) == "[N, 16, 8, 8]");
    CHECK(outcome(Sub{}, {{8}, {"N", 16, 1}}) == "[N, 16, 8]");
    CHECK(outcome(Div{}, {{1, 4}, {"N", 1}}) == "[N, 4]");
    CHECK(outcome(Add{}, {{"N", 4}, {4}, {1}, {"N", 1}}) == "[N, 4]");
    CHECK(outcome(Add{}, {{"N", 4}, Shape{}}) == "[N, 4]");
    CHECK(outcome(Add{.other = 2.5}, {{"N", 4}}) == "[N, 4]");
}

TEST_CASE("Add names both shapes and the dimension") {
    const std::vector<Shape> shapes{{"N", 16, 16, 16}, {"N", 8, 16, 16}};
    const Inference inference = applied(Add{}, shapes);
    CHECK(outcome(inference) == "[N, 16, 16, 16] !shape/broadcast");
    CHECK(inference.faults[0].message == "cannot add [N, 16, 16, 16] and [N, 8, 16, 16]: dimension 1 is 16 and 8");
    CHECK(inference.faults[0].input == 1);
    CHECK(inference.faults[0].dim == 1);
    REQUIRE(inference.alternative);
    CHECK(inference.alternative->shape.to_string() == "[N, 8, 16, 16]");
}

TEST_CASE("Ranks that differ count from the end") {
    CHECK(message(Sub{}, {{"N", 16, 8}, {7}}) == "cannot subtract [N, 16, 8] and [7]: dimension -1 is 8 and 7");
    CHECK(applied(Sub{}, {{"N", 16, 8}, {7}}).faults[0].dim == 0);
}

TEST_CASE("One input is one fault, and the odd one is it") {
    CHECK(outcome(Add{}, {{"N", 16, 8, 8}, {"N", 8, 4, 4}}) == "[N, 16, 8, 8] !shape/broadcast");
    const Inference first = applied(Add{}, {{"N", 8}, {"N", 16}, {"N", 16}});
    CHECK(outcome(first) == "[N, 16] !shape/broadcast");
    CHECK(first.faults[0].input == 0);
    CHECK(first.faults[0].message == "cannot add [N, 8], [N, 16] and [N, 16]: dimension 1 of the first is 8, not 16");
}

TEST_CASE("Symbols must be equal to numbers and to each other, or 1") {
    CHECK(outcome(Add{}, {{"N", "L"}, {"N", 8}}) == "[N, 8] ?shape/symbolic");
    CHECK(outcome(Add{}, {{"N", 16}, {16, "N"}}) == "[16, 16] ?shape/symbolic");
    CHECK(outcome(Add{}, {{"N", "H", "H"}, {"N", 8, 8}}) == "[N, 8, 8] ?shape/symbolic");
    const Inference number = applied(Add{}, {{"N", "L"}, {"N", 8}});
    CHECK(number.faults[0].condition->to_string() == "L = 8 or L = 1");
    CHECK(number.faults[0].verdict->valid == std::vector<Interval>{{1, 1, 1}, {8, 8, 1}});
    const Inference two = applied(Add{}, {{"N", 4}, {"M", 4}});
    CHECK(outcome(two) == "[max(M, N), 4] ?shape/symbolic");
    CHECK(two.conditions.size() == 1);
    CHECK(two.conditions[0].to_string() == "M = N or one of them is 1");
    CHECK(outcome(MatMul{}, {{"N", 4, 3}, {"M", 3, 5}}) == "[max(M, N), 4, 5] ?shape/symbolic");
}

TEST_CASE("Sizes that differ fit where one of them is 1") {
    const Dim L = "L";
    const SymbolRanges from_three{{"L", {3, std::nullopt, 1}}};
    const Inference valid = applied(Add{}, {{"N", L - 2}, {"N", L}}, DType::f32, from_three);
    CHECK(outcome(valid) == "[N, L - 2] !shape/symbolic");
    CHECK(valid.faults[0].verdict->valid == std::vector<Interval>{{3, 3, 1}});
    REQUIRE(valid.alternative);
    CHECK(valid.alternative->shape.to_string() == "[N, L]");
    const Dim H = "H";
    CHECK(outcome(applied(Add{}, {{"N", H - 2, L - 2}, {"N", H, L}}, DType::f32, from_three)) ==
          "[N, H, L - 2] ?shape/symbolic !shape/symbolic");
    const SymbolRanges both{{"H", {3, std::nullopt, 1}}, {"L", {3, std::nullopt, 1}}};
    CHECK(outcome(applied(Add{}, {{"N", H - 2, L - 2}, {"N", H, L}}, DType::f32, both)) ==
          "[N, H - 2, L - 2] !shape/symbolic");
    const SymbolRanges from_sixteen{{"L", {16, std::nullopt, 1}}};
    const Inference pooled = applied(Mul{}, {{"N", floor_div(L, 16)}, {"N", L}}, DType::f32, from_sixteen);
    CHECK(outcome(pooled) == "[N, L] ?shape/symbolic");
    CHECK(pooled.faults[0].verdict->valid == std::vector<Interval>{{16, 31, 1}});
    const SymbolRanges from_four{{"L", {4, std::nullopt, 1}}};
    CHECK(outcome(applied(Add{}, {{"N", L - 2}, {"N", L}}, DType::f32, from_four)) == "[N, L - 2] !shape/symbolic");
}

TEST_CASE("What a condition on several inputs allows is what PyTorch does") {
    const Dim L = "L", H = "H";
    const std::vector<Dim> sizes{L, floor_div(L, 2), floor_div(L, 3) + 1, H, floor_div(H + 1, 2), 1, 2, 3};
    const std::size_t count = sizes.size();
    for (std::size_t code = 0; code < count * count * count; ++code) {
        const std::vector<Shape> shapes{
            {sizes[code % count]}, {sizes[code / count % count]}, {sizes[code / count / count]}};
        const Inference inference = applied(Add{}, shapes);
        for (std::int64_t l = 2; l <= 8; ++l) {
            for (std::int64_t h = 1; h <= 3; ++h) {
                const Bindings bindings{{"L", l}, {"H", h}};
                std::int64_t result = 1;
                bool fits = true;
                for (const Shape& shape : shapes) {
                    const std::int64_t size = *shape[0].evaluate(bindings);
                    fits = fits && (size == 1 || result == 1 || size == result);
                    result = std::max(result, size);
                }
                CAPTURE(inference.outputs[0].to_string());
                CAPTURE(l);
                CAPTURE(h);
                const auto holds = [&](const Condition& condition) {
                    return solve({condition.lhs.substitute(bindings), condition.relation,
                                  condition.rhs.substitute(bindings)},
                                 {})
                               .kind == Verdict::Kind::always;
                };
                const bool allowed = std::all_of(inference.conditions.begin(), inference.conditions.end(), holds) &&
                                     std::all_of(inference.faults.begin(), inference.faults.end(),
                                                 [](const Fault& fault) { return fault.condition.has_value(); });
                CHECK(allowed == fits);
                if (fits && !inference.has_error()) CHECK(inference.outputs[0].shape[0].evaluate(bindings) == result);
            }
        }
    }
}

TEST_CASE("A size that an earlier fault left unknown fits everything") {
    CHECK(outcome(Add{}, {{"N", Dim::unknown()}, {"N", 8}}) == "[N, 8]");
}

TEST_CASE("Arithmetic takes one input and a number, or several") {
    CHECK(outcome(Add{}, {{"N", 4}}) == "[N, 4] !graph/arity");
    CHECK(outcome(Add{.other = 1}, {{"N", 4}, {"N", 4}}) == "[N, 4] !graph/arity");
}

TEST_CASE("Arithmetic has one dtype, which numbers fit") {
    CHECK(mixed(Add{}, {{DType::i64, {4}}, {DType::f32, {4}}}) == "[4] !dtype/mismatch");
    CHECK(outcome(Add{}, {{4}, {4}}, DType::i64) == "[4]");
    CHECK(outcome(Add{}, {{4}, {4}}, DType::boolean) == "[4] !dtype/mismatch");
    CHECK(outcome(Div{}, {{4}, {4}}, DType::i32) == "[4] !dtype/mismatch");
    CHECK(outcome(Mul{.other = 0.5}, {{4}}, DType::i32) == "[4] !dtype/mismatch");
    CHECK(outcome(Mul{.other = 2}, {{4}}, DType::i32) == "[4]");
    CHECK(applied(Div{}, {{4}, {4}}, DType::i32).outputs[0].dtype == DType::f32);
}

TEST_CASE("Forms and traits") {
    CHECK(ops::arithmetic_form(Sub{.other = 2})->kind == ops::Arithmetic::sub);
    CHECK(ops::arithmetic_form(Sub{.other = 2})->other == 2);
    CHECK_FALSE(ops::arithmetic_form(Mean{}));
    CHECK(Op(Mul{}).traits().commutative);
    CHECK_FALSE(Op(Div{}).traits().commutative);
}

TEST_CASE("Mean and Sum reduce dimensions") {
    CHECK(outcome(Mean{.dim = {2, 3}}, {{"N", 6, 12, 10}}) == "[N, 6]");
    CHECK(outcome(Mean{.dim = {-1, 1}, .keepdim = true}, {{"N", 6, 12}}) == "[N, 1, 1]");
    CHECK(outcome(Sum{}, {{"N", 6}}) == "[]");
    CHECK(outcome(Sum{.keepdim = true}, {{"N", 6}}) == "[1, 1]");
    CHECK(outcome(Sum{.dim = 0}, {{"N", "L"}}) == "[L]");
    CHECK(applied(Sum{.dim = 0}, {{3}}, DType::u8).outputs[0].dtype == DType::i64);
}

TEST_CASE("Mean and Sum refuse dimensions that are not there or come twice") {
    CHECK(outcome(Mean{.dim = 2}, {{"N", 6}}) == "[?] !spec/value");
    CHECK(outcome(Mean{.dim = {1, -1}}, {{"N", 6}}) == "[N] !spec/value");
    CHECK(outcome(Mean{.dim = 1}, {{"N", 6}}, DType::i64) == "[N] !dtype/mismatch");
}

TEST_CASE("MatMul has PyTorch's shapes") {
    CHECK(outcome(MatMul{}, {{3, 5}, {5, 4}}) == "[3, 4]");
    CHECK(outcome(MatMul{}, {{5}, {5}}) == "[]");
    CHECK(outcome(MatMul{}, {{5}, {"N", 5, 4}}) == "[N, 4]");
    CHECK(outcome(MatMul{}, {{"N", 3, 5}, {5}}) == "[N, 3]");
    CHECK(outcome(MatMul{}, {{"N", 1, 3, 5}, {7, 5, 4}}) == "[N, 7, 3, 4]");
    CHECK(outcome(MatMul{}, {{"N", "L", 64}, {"N", 64, "L"}}) == "[N, L, L]");
    const Inference product = applied(MatMul{}, {{"N", 3, 5}, {5, 4}});
    const std::vector<TensorType> inputs{{DType::f32, {"N", 3, 5}}, {DType::f32, {5, 4}}};
    CHECK(product.op.macs(inputs, product.outputs) == Dim(60) * Dim("N"));
}

TEST_CASE("MatMul refuses sizes that do not meet") {
    CHECK(outcome(MatMul{}, {{"N", 3, 5}, {4, 6}}) == "[N, 3, 6] !shape/in-features");
    CHECK(message(MatMul{}, {{3, 5}, {4, 6}}) == "multiplies [3, 5] by [4, 6], whose rows must be 5, but are 4");
    CHECK(applied(MatMul{}, {{3, 5}, {4, 5}}).faults[0].notes.size() == 1);
    CHECK(outcome(MatMul{}, {{2, 3, 5}, {3, 5, 4}}) == "[2, 3, 4] !shape/broadcast");
    CHECK(outcome(MatMul{}, {Shape{}, {3}}) == "error !shape/rank");
    CHECK(mixed(MatMul{}, {{DType::f32, {3, 5}}, {DType::f64, {5, 4}}}) == "[3, 4] !dtype/mismatch");
}
