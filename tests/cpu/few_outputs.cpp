#include <doctest/doctest.h>

#include <limits>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "tests/cpu/convolutions.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::conv;
using seq::test::KernelCase;
using seq::test::Windows;

namespace {

void check_ran(const std::vector<std::string>& ran, bool does = true) {
    seq::test::check_ran(ran, "cpu.few_outputs", does);
}

}  // namespace

TEST_CASE("convolutions of few output channels agree with the reference by all taps at once") {
    const std::vector<seq::test::ConvExample> examples{
        {1, 64, 1, 64, 64, {3, 1, 1}},
        {2, 32, 3, 19, 33, {9, 1, 4}},
        {1, 17, 2, 13, 90, {5, 1, 2}, false},
        {3, 5, 1, 7, 6, {3}},
        {1, 9, 1, 1, 1, {3, 1, 2}},
        {1, 12, 3, 5, 4, {3, 1, 7}},  // padding beyond the window
        {1, 19, 1, 31, 200, {{5, 7}, 1, {0, 3}, {3, 1}}},
        {1, 33, 2, 40, 3, {{7, 2}, 1, {3, 1}}},
        {1, 6, 1, 9, 300, {{1, 30}, 1, {0, 15}}},
        {1, 130, 4, 20, 20, {4, 1, 2}},
    };
    seq::test::check_examples(examples, "cpu.few_outputs");
}

TEST_CASE("convolutions of one dimension and few output channels agree with the reference") {
    struct Example {
        std::int64_t batch, in, out, length;
        Windows windows;
    };
    const std::vector<Example> examples{
        {1, 16, 1, 4000, {7, 1, 3}}, {2, 9, 2, 33, {15, 1, 7}},  {1, 40, 3, 130, {5}},
        {3, 33, 1, 5, {5, 1, 9}},    {1, 520, 1, 90, {3, 1, 1}},
    };
    for (const Example& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.length);
        check_ran(KernelCase(conv<1>(e.in, e.out, e.windows), {{e.batch, e.in, e.length}}).run_all());
    }
    ops::Conv1d even = conv<1>(8, 1, {8});
    even.padding = Padding{"same"};
    check_ran(KernelCase(even, {{2, 8, 41}}).run_all());
}

TEST_CASE("convolutions with strides, groups, dilated columns or many output channels do not go by all taps at once") {
    const auto ran = [](const ops::Conv2d& op) { return KernelCase(op, {{1, 8, 20, 21}}).run_all(); };
    check_ran(ran(conv<2>(8, 1, {3, 2, 1})), false);
    check_ran(ran(conv<2>(8, 1, {3, 1, 1, {1, 2}})), false);
    check_ran(ran(conv<2>(8, 17, {3, 1, 1})), false);
    check_ran(ran(conv<2>(8, 1, {1})), false);
    ops::Conv2d grouped = conv<2>(8, 2, {3, 1, 1});
    grouped.groups = 2;
    check_ran(ran(grouped), false);
    ops::Conv2d mirrored = conv<2>(8, 1, {3, 1, 1});
    mirrored.padding_mode = "reflect";
    check_ran(ran(mirrored), false);
}

TEST_CASE("convolutions by all taps at once do residuals and activations") {
    const std::vector<std::int64_t> whole{2, 2, 9, 7};
    // Bounds of the size of the sums, since results are compared relative to the largest one.
    const std::vector<std::vector<KernelCase::PostOpCase>> epilogues{
        {{ops::Hardtanh{-15, 30}, {}}},
        {{ops::Sigmoid{}, {}}},
        {{ops::Tanh{}, {}}},
        {{ops::GELU{}, {}}},
        {{ops::Add{}, {whole}, 1}, {ops::ReLU{}, {}}},
        {{ops::SiLU{}, {}}, {ops::Add{}, {whole}}},
        {{ops::Mul{}, {{2, 1, 1}}, 0, true}, {ops::ReLU{}, {}}},
    };
    for (const auto& epilogue : epilogues) {
        CAPTURE(epilogue.front().op.name());
        KernelCase example(conv<2>(60, 2, {{5, 3}, 1, {2, 1}}), {{2, 60, 9, 7}}, epilogue);
        example.expect_in_f64();
        check_ran(example.run_all());
    }
}

TEST_CASE("NaN and Inf reach those outputs of convolutions by all taps at once whose windows hold them") {
    const float inf = std::numeric_limits<float>::infinity();
    for (const Op& activation : {Op(ops::ReLU{}), Op(ops::Sigmoid{})}) {
        CAPTURE(activation.name());
        KernelCase example(conv<2>(33, 1, {3, 1, 1}), {{2, 33, 9, 8}}, {{activation, {}}});
        check_ran(example.run_nonfinite({std::numeric_limits<float>::quiet_NaN(), inf, -inf, 1e30f, -1e30f}));
    }
}
