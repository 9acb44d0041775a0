#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/convolution.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/few_channels/problem.hpp"
#include "tests/cpu/convolutions.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::KernelCase;

namespace {

struct Example {
    std::int64_t batch, in, out, height, width;
    IntList kernel, stride;
    Padding padding;
    IntList dilation = 1;
};

ops::Conv2d convolution(const Example& e, bool bias = true) {
    ops::Conv2d conv;
    conv.in_channels = e.in;
    conv.out_channels = e.out;
    conv.kernel_size = e.kernel;
    conv.stride = e.stride;
    conv.padding = e.padding;
    conv.dilation = e.dilation;
    conv.bias = bias;
    return conv;
}

void check_ran(const std::vector<std::string>& ran) { seq::test::check_ran(ran, "cpu.few_channels"); }

}  // namespace

TEST_CASE("convolutions of few channels agree with the reference for odd sizes, kernels, strides and paddings") {
    const std::vector<Example> examples{
        {1, 3, 32, 65, 67, 3, 2, 1},
        {2, 1, 17, 28, 28, 5, 1, 2},
        {5, 3, 33, 9, 7, 3, 1, 1},
        {1, 3, 64, 57, 56, 7, 2, 3},
        {3, 4, 100, 16, 13, 4, 4, 0},
        {1, 8, 5, 20, 31, 3, 1, 0},
        {2, 5, 16, 15, 18, {1, 3}, 1, {0, 1}},
        {1, 2, 8, 12, 40, {5, 2}, {1, 3}, {2, 0}},
        {1, 3, 9, 3, 2, 3, 1, 2},
        {1, 3, 20, 30, 30, 3, 1, "same"},
        {1, 2, 24, 21, 22, 3, 2, 4, 3},
        {4, 3, 1, 1, 1, 1, 1, 0},
        {1, 1, 40, 4, 300, 3, 1, 1},
        {1, 3, 16, 6, 7, 2, 3, 0},
    };
    for (const Example& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.out);
        CAPTURE(e.width);
        check_ran(KernelCase(convolution(e, e.out % 2 == 0), {{e.batch, e.in, e.height, e.width}}).run_all());
    }
}

TEST_CASE("convolutions of few channels in one dimension agree with the reference") {
    struct Line {
        std::int64_t batch, in, out, length;
        IntList kernel, stride;
        Padding padding;
        IntList dilation = 1;
    };
    const std::vector<Line> examples{
        {1, 1, 32, 16000, 9, 4, 4},   {2, 3, 33, 401, 3, 1, 1},   {5, 1, 5, 60, 5, 2, 0},
        {1, 8, 64, 1000, 3, 1, 8, 8}, {1, 2, 17, 5, 4, 3, 9, 2},  {3, 4, 16, 131, 7, 1, 30},
        {1, 1, 1, 1, 1, 1, 0},        {1, 6, 40, 70000, 3, 2, 1}, {2, 1, 100, 29, 2, 1, "same"},
    };
    for (const Line& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.length);
        ops::Conv1d conv;
        conv.in_channels = e.in;
        conv.out_channels = e.out;
        conv.kernel_size = e.kernel;
        conv.stride = e.stride;
        conv.padding = e.padding;
        conv.dilation = e.dilation;
        KernelCase example(conv, {{e.batch, e.in, e.length}}, {{ops::ReLU{}, {}}});
        check_ran(example.run_all());
        const float inf = std::numeric_limits<float>::infinity();
        check_ran(example.run_nonfinite({std::numeric_limits<float>::quiet_NaN(), inf, -inf}));
    }
}

TEST_CASE("convolutions of few channels do activations in registers and the rest of an epilogue after them") {
    const Example e{2, 3, 21, 13, 15, 3, 2, 1};
    const std::vector<std::int64_t> whole{2, 21, 7, 8};
    const std::vector<std::vector<KernelCase::PostOpCase>> epilogues{
        {{ops::ReLU{}, {}}},
        {{ops::Hardtanh{0.5, 2}, {}}},
        {{ops::SiLU{}, {}}},
        {{ops::Hardswish{}, {}}},
        {{ops::GELU{}, {}}},
        {{ops::Add{}, {whole}}, {ops::ReLU{}, {}}},
        {{ops::Mul{}, {{21, 1, 1}}, 0, true}, {ops::ReLU{}, {}}},
    };
    for (const auto& epilogue : epilogues) {
        CAPTURE(epilogue.front().op.name());
        check_ran(KernelCase(convolution(e), {{2, 3, 13, 15}}, epilogue).run_all());
    }
}

TEST_CASE("NaN and Inf stay where they belong in convolutions of few channels") {
    const float inf = std::numeric_limits<float>::infinity();
    for (const Op& activation : {Op(ops::ReLU6{}), Op(ops::SiLU{})}) {
        KernelCase example(convolution({2, 2, 35, 19, 18, 3, 2, 1}), {{2, 2, 19, 18}}, {{activation, {}}});
        check_ran(example.run_nonfinite({std::numeric_limits<float>::quiet_NaN(), inf, -inf, 1e30f, -1e30f}));
    }
}

TEST_CASE("a convolution of few channels cut into tasks covers every window once") {
    using cpu::few_channels::Problem;
    for (const int threads : {1, 2, 3, 64}) {
        for (const auto& [rows, columns] :
             std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 3}, {1, 9000}, {5, 500}, {112, 100}, {1000, 100}}) {
            for (const std::int64_t batch : {1, 3}) {
                Problem problem;
                problem.batch = batch;
                problem.in_channels = 3;
                problem.out_channels = 32;
                problem.rows = {rows + 2, rows, 3, 1, 1, 0};
                problem.columns = {columns + 2, columns, 3, 1, 1, 0};
                cpu::few_channels::cut_into_tasks(problem, threads);
                CAPTURE(threads);
                CAPTURE(rows);
                CAPTURE(batch);
                std::vector<int> taken(static_cast<std::size_t>(batch * rows * columns));
                for (std::int64_t task = 0; task < problem.tasks(); ++task) {
                    const auto part = problem.part(task);
                    CHECK(part.row_count >= 1);
                    CHECK(part.row_count <= problem.task_rows);
                    CHECK(part.column_count >= 1);
                    CHECK(part.column_count <= problem.task_columns);
                    for (std::int64_t y = 0; y < part.row_count; ++y) {
                        const std::int64_t row = part.picture * rows + part.first_row + y;
                        for (std::int64_t x = 0; x < part.column_count; ++x)
                            ++taken.at(static_cast<std::size_t>(row * columns + part.first_column + x));
                    }
                }
                CHECK(std::count(taken.begin(), taken.end(), 1) == batch * rows * columns);
                if (rows == 1 && columns > 1000) CHECK(problem.tasks() >= std::min(threads, 3));
            }
        }
    }
}
