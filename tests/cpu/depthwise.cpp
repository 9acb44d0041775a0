#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/convolution.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/depthwise/problem.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::KernelCase;

namespace {

template <int N>
ops::Conv<N> depthwise(std::int64_t channels, IntList kernel, IntList stride, Padding padding, bool bias = true) {
    ops::Conv<N> conv;
    conv.in_channels = conv.out_channels = conv.groups = channels;
    conv.kernel_size = std::move(kernel);
    conv.stride = std::move(stride);
    conv.padding = std::move(padding);
    conv.bias = bias;
    return conv;
}

/// That the kernel ran; on scalar code, that it did not.
void check_ran(const std::vector<std::string>& ran) {
    CHECK(std::count(ran.begin(), ran.end(), "cpu.depthwise") == (cpu_backend().isa == Isa::scalar ? 0 : 1));
}

}  // namespace

TEST_CASE("depthwise convolutions agree with the reference for odd sizes, channels, kernels, strides and paddings") {
    struct Example {
        std::int64_t batch, channels, height, width;
        IntList kernel, stride;
        Padding padding;
        bool bias;
    };
    const std::vector<Example> examples{
        {1, 3, 3, 3, 3, 1, 1, true},
        {2, 17, 9, 7, 3, 1, 1, true},
        {1, 33, 14, 14, 3, 2, 1, false},
        {5, 16, 7, 7, 3, 1, 1, true},
        {1, 64, 28, 27, 5, 1, 2, true},
        {2, 40, 13, 29, 5, 2, 2, true},
        {1, 100, 5, 5, 3, 1, 0, true},
        {1, 20, 1, 1, 3, 1, 1, true},
        {3, 24, 2, 3, 5, 1, 4, true},
        {1, 31, 12, 18, 7, 1, 3, true},
        {1, 19, 15, 15, {3, 5}, {2, 1}, {0, 3}, true},
        {1, 18, 11, 30, {5, 3}, 2, {2, 0}, true},
        {1, 9, 12, 12, 2, 2, 0, true},
        {1, 5, 16, 16, {1, 4}, 3, {0, 1}, true},
        {1, 50, 10, 40, 3, 1, "same", true},
        {1, 130, 40, 8, 7, 2, 3, false},
    };
    for (const Example& e : examples) {
        CAPTURE(e.channels);
        CAPTURE(e.height);
        CAPTURE(e.width);
        KernelCase example(depthwise<2>(e.channels, e.kernel, e.stride, e.padding, e.bias),
                           {{e.batch, e.channels, e.height, e.width}});
        check_ran(example.run_all());
    }
    check_ran(KernelCase(depthwise<1>(21, 3, 1, 1), {{2, 21, 30}}).run_all());
    check_ran(KernelCase(depthwise<1>(21, 5, 2, 3), {{2, 21, 31}}).run_all());
}

TEST_CASE("depthwise convolutions agree with the reference for dilations, several outputs a channel and long windows") {
    struct Example {
        std::int64_t batch, channels, multiplier, height, width;
        IntList kernel, stride, padding, dilation;
    };
    const std::vector<Example> examples{
        {1, 24, 1, 19, 21, 3, 1, 2, 2},
        {2, 35, 1, 33, 33, 3, 1, 12, 12},
        {1, 16, 1, 30, 9, 5, {2, 1}, {4, 9}, {2, 5}},
        {1, 9, 1, 20, 40, {3, 4}, {1, 3}, {0, 7}, {7, 2}},
        {1, 12, 1, 5, 6, 3, 1, 9, 9},  // the middle of each window alone
        {1, 20, 1, 40, 30, 3, 1, 0, {1, 3}},
        {1, 40, 1, 9, 61, 5, 1, {8, 11}, {4, 7}},
        {1, 17, 1, 6, 30, {2, 3}, 1, {0, 30}, {3, 6}},
        {1, 8, 2, 20, 33, {16, 1}, 1, 0, 1},
        {2, 12, 2, 13, 14, 3, 1, 1, 1},
        {1, 13, 3, 9, 17, 3, 2, 1, 1},
        {1, 5, 7, 8, 9, {2, 5}, 1, {1, 2}, 1},
        {1, 3, 40, 11, 12, 3, 1, 2, 2},
        {1, 130, 2, 6, 4, 3, 1, 1, 1},
        {1, 7, 1, 70, 12, {64, 3}, 1, {9, 1}, 1},
        {1, 17, 1, 4, 50, {3, 33}, 1, {1, 16}, 1},
        {1, 33, 1, 6, 7, {1, 9}, 1, {0, 8}, 1},
    };
    for (const Example& e : examples) {
        CAPTURE(e.channels);
        CAPTURE(e.height);
        CAPTURE(e.width);
        ops::Conv2d conv = depthwise<2>(e.channels, e.kernel, e.stride, Padding{e.padding});
        conv.dilation = e.dilation;
        conv.out_channels = e.channels * e.multiplier;
        check_ran(KernelCase(conv, {{e.batch, e.channels, e.height, e.width}}).run_all());
    }
    for (const std::int64_t kernel : {3, 15, 87}) {
        for (const std::int64_t dilation : {1, 2, 16}) {
            for (const std::int64_t stride : {1, 3}) {
                CAPTURE(kernel);
                CAPTURE(dilation);
                ops::Conv1d line = depthwise<1>(21, kernel, stride, Padding{IntList{kernel / 2 * dilation}});
                line.dilation = dilation;
                check_ran(KernelCase(line, {{2, 21, 203}}).run_all());
                line.out_channels = 42;
                check_ran(KernelCase(line, {{1, 21, 100}}).run_all());
            }
        }
    }
}

TEST_CASE("depthwise convolutions do activations in registers and the rest of epilogues after them") {
    const std::vector<std::int64_t> whole{2, 21, 6, 5};
    const std::vector<std::vector<KernelCase::PostOpCase>> epilogues{
        {{ops::ReLU{}, {}}},
        {{ops::ReLU6{}, {}}},
        {{ops::SiLU{}, {}}},
        {{ops::Hardswish{}, {}}},
        {{ops::LeakyReLU{0.2}, {}}},
        {{ops::GELU{}, {}}},
        {{ops::Add{}, {whole}}},
        {{ops::Add{}, {whole}, 1}, {ops::ReLU{}, {}}},
        {{ops::SiLU{}, {}}, {ops::Add{}, {whole}}},
        {{ops::Mul{}, {{21, 1, 1}}, 0, true}, {ops::ReLU{}, {}}},
    };
    for (const auto& epilogue : epilogues) {
        CAPTURE(epilogue.front().op.name());
        check_ran(KernelCase(depthwise<2>(21, 3, 1, 1), {{2, 21, 6, 5}}, epilogue).run_all());
        ops::Conv2d dilated = depthwise<2>(21, 3, 1, 3);
        dilated.dilation = 3;
        check_ran(KernelCase(dilated, {{2, 21, 6, 5}}, epilogue).run_all());
        ops::Conv2d several = depthwise<2>(7, 3, 1, 1);
        several.out_channels = 21;
        check_ran(KernelCase(several, {{2, 7, 6, 5}}, epilogue).run_all());
    }
}

TEST_CASE("NaN and Inf stay where they belong in depthwise convolutions") {
    const float inf = std::numeric_limits<float>::infinity();
    for (const Op& activation : {Op(ops::ReLU{}), Op(ops::ReLU6{}), Op(ops::SiLU{}), Op(ops::Hardswish{})}) {
        for (const std::int64_t kernel : {3, 5, 4}) {
            CAPTURE(activation.name());
            KernelCase example(depthwise<2>(35, kernel, 1, 1), {{2, 35, 9, 8}}, {{activation, {}}});
            check_ran(example.run_nonfinite({std::numeric_limits<float>::quiet_NaN(), inf, -inf}));
            ops::Conv2d several = depthwise<2>(11, kernel, 1, 2);
            several.out_channels = 33;
            several.dilation = 2;
            KernelCase spread(several, {{2, 11, 9, 8}}, {{activation, {}}});
            check_ran(spread.run_nonfinite({std::numeric_limits<float>::quiet_NaN(), inf, -inf}));
        }
    }
}

TEST_CASE("a depthwise convolution cut into tasks covers every row and channel once") {
    using cpu::depthwise::Problem;
    for (const int threads : {1, 2, 3, 64}) {
        for (const std::int64_t size : {1, 7, 56, 300}) {
            for (const std::int64_t channels : {2, 33, 960}) {
                Problem problem;
                problem.batch = 2;
                problem.channels = channels;
                problem.in_height = problem.in_width = problem.out_height = problem.out_width = size;
                problem.kernel_height = problem.kernel_width = 3;
                if (channels == 33) problem.multiplier = 3;
                if (size == 300) problem.out_height = 1;
                cpu::depthwise::cut_into_tasks(problem, threads);
                CAPTURE(threads);
                CAPTURE(size);
                CAPTURE(channels);
                CHECK(problem.task_channels % (problem.lanes * problem.multiplier) == 0);
                CHECK(problem.row_parts() * problem.task_rows >= problem.out_height);
                CHECK((problem.row_parts() - 1) * problem.task_rows < problem.out_height);
                CHECK(problem.column_parts() * problem.task_columns >= size);
                CHECK((problem.column_parts() - 1) * problem.task_columns < size);
                CHECK((problem.column_parts() == 1 || problem.row_parts() == 1));
                CHECK((problem.channel_parts() - 1) * problem.task_channels < channels);
            }
        }
    }
}
