#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/ops/linear.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/pointwise/problem.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::KernelCase;

namespace {

template <int N>
ops::Conv<N> conv1x1(std::int64_t in, std::int64_t out, IntList stride = 1, bool bias = true) {
    ops::Conv<N> conv;
    conv.in_channels = in;
    conv.out_channels = out;
    conv.kernel_size = 1;
    conv.stride = std::move(stride);
    conv.bias = bias;
    return conv;
}

/// That the kernel ran; on scalar code, that it did not.
void check_ran(const std::vector<std::string>& ran) {
    CHECK(std::count(ran.begin(), ran.end(), "cpu.pointwise") == (cpu_backend().isa == Isa::scalar ? 0 : 1));
}

}  // namespace

TEST_CASE("1×1 convolutions agree with the reference for odd sizes, channels that fill no vector, and strides") {
    struct Example {
        std::int64_t batch, in, out, height, width;
        IntList stride;
        bool bias;
    };
    const std::vector<Example> examples{
        {1, 1, 1, 1, 1, 1, true},      {1, 3, 5, 3, 3, 1, true},       {2, 17, 33, 9, 7, 1, true},
        {5, 16, 32, 4, 4, 1, false},   {1, 40, 31, 5, 13, 2, true},    {3, 33, 17, 8, 6, {2, 1}, false},
        {1, 64, 100, 29, 31, 1, true}, {2, 100, 200, 15, 14, 2, true}, {1, 600, 48, 7, 7, 1, true},
        {1, 48, 600, 7, 7, 3, false},  {4, 130, 70, 1, 1, 1, true},
    };
    for (const Example& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.out);
        CAPTURE(e.height);
        KernelCase example(conv1x1<2>(e.in, e.out, e.stride, e.bias), {{e.batch, e.in, e.height, e.width}});
        check_ran(example.run_all());
    }
    check_ran(KernelCase(conv1x1<1>(19, 35, 2), {{3, 19, 21}}).run_all());
    check_ran(KernelCase(conv1x1<3>(19, 35, {1, 2, 3}), {{2, 19, 3, 5, 7}}).run_all());
    check_ran(KernelCase(conv1x1<3>(19, 35), {{2, 19, 3, 5, 7}}).run_all());
}

TEST_CASE("Linear of any rows runs as a product of matrices") {
    for (const std::int64_t rows : {1, 2, 13, 14, 15, 29, 200}) {
        CAPTURE(rows);
        ops::Linear linear;
        linear.in_features = 37;
        linear.out_features = 50;
        check_ran(KernelCase(linear, {{rows, 37}}, {{ops::Add{}, {{rows, 50}}}, {ops::SiLU{}, {}}}).run_all());
        check_ran(KernelCase(linear, {{2, rows, 37}}, {{ops::ReLU{}, {}}}).run_all());
    }
    for (const std::int64_t columns : {31, 33, 1000}) {  // tasks of several panels, the last one of a vector or two
        CAPTURE(columns);
        ops::Linear linear;
        linear.in_features = 1500;
        linear.out_features = columns;
        check_ran(KernelCase(linear, {{1, 1500}}, {{ops::Add{}, {{1, columns}}}, {ops::SiLU{}, {}}}).run_all());
    }
}

TEST_CASE("1×1 convolutions do residuals and activations, in registers or after them") {
    const std::vector<std::int64_t> whole{2, 21, 6, 5};
    const std::vector<std::vector<KernelCase::PostOpCase>> epilogues{
        {{ops::ReLU{}, {}}},
        {{ops::ReLU6{}, {}}},
        {{ops::Hardtanh{0.5, 2}, {}}},
        {{ops::SiLU{}, {}}},
        {{ops::Sigmoid{}, {}}},
        {{ops::Hardswish{}, {}}},
        {{ops::Hardsigmoid{}, {}}},
        {{ops::LeakyReLU{0.2}, {}}},
        {{ops::LeakyReLU{2}, {}}},
        {{ops::GELU{}, {}}},
        {{ops::Add{}, {whole}}},
        {{ops::Add{}, {whole}, 1}, {ops::ReLU{}, {}}},
        {{ops::Add{}, {whole}}, {ops::SiLU{}, {}}},
        {{ops::SiLU{}, {}}, {ops::Add{}, {whole}}},
        {{ops::Add{}, {whole, whole}}, {ops::ReLU{}, {}}},
        {{ops::Mul{}, {{21, 1, 1}}, 0, true}, {ops::ReLU{}, {}}},
        {{ops::Sub{}, {whole}}, {ops::ReLU{}, {}}},
        {{ops::Mul{}, {{2, 21, 1, 1}}}},
    };
    for (const auto& epilogue : epilogues) {
        CAPTURE(epilogue.front().op.name());
        check_ran(KernelCase(conv1x1<2>(9, 21), {{2, 9, 6, 5}}, epilogue).run_all());
    }
}

TEST_CASE("NaN and Inf go through 1×1 convolutions and their activations") {
    const float inf = std::numeric_limits<float>::infinity();
    for (const Op& activation : {Op(ops::ReLU{}), Op(ops::ReLU6{}), Op(ops::SiLU{}), Op(ops::Sigmoid{}),
                                 Op(ops::Hardswish{}), Op(ops::Hardsigmoid{}), Op(ops::LeakyReLU{0.1})}) {
        CAPTURE(activation.name());
        KernelCase example(conv1x1<2>(1, 35), {{2, 1, 9, 8}}, {{activation, {}}});
        check_ran(example.run_nonfinite({std::numeric_limits<float>::quiet_NaN(), inf, -inf, 1e30f, -1e30f}));
    }
}

TEST_CASE("a product of matrices cut into tasks covers every row and column once") {
    using cpu::pointwise::Problem;
    for (const int lanes : {8, 16}) {
        for (const int threads : {1, 2, 3, 64}) {
            for (const std::int64_t rows : {1, 5, 49, 196, 3136, 100000}) {
                for (const std::int64_t columns : {1, 16, 33, 2048}) {
                    Problem problem{rows, 256, columns, lanes};
                    cpu::pointwise::cut_into_tasks(problem, threads);
                    CAPTURE(lanes);
                    CAPTURE(threads);
                    CAPTURE(rows);
                    CAPTURE(columns);
                    CHECK(problem.row_blocks() * problem.block_rows >= rows);
                    CHECK((problem.row_blocks() - 1) * problem.block_rows < rows);
                    CHECK(problem.column_parts() * problem.task_panels >= problem.panels());
                    CHECK((problem.column_parts() - 1) * problem.task_panels < problem.panels());
                }
            }
        }
    }
}
