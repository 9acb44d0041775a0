#include "graph/ops/pool.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "graph/ops/activation.hpp"
#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/arithmetic.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::check_kernel;
using seq::test::KernelCase;

namespace {

struct Example {
    IntList kernel, stride, padding, dilation;
    bool ceil_mode;
};

const std::vector<Example> examples{
    {2, {}, 0, 1, false},
    {3, 2, 1, 1, false},
    {3, 2, 0, 1, true},
    {3, 1, 0, 2, false},
    {{3, 2}, {2, 3}, {1, 0}, 1, true},
    {5, 1, 2, 1, false},
    {2, 3, 1, 1, true},
    {1, 2, 0, 1, false},
};
const std::vector<std::vector<std::int64_t>> inputs{{2, 6, 12, 10}, {1, 16, 9, 9}, {3, 1, 7, 11}, {1, 21, 8, 5}};

ops::MaxPool2d max_pool(const Example& e) {
    ops::MaxPool2d pool;
    pool.kernel_size = e.kernel;
    pool.stride = e.stride;
    pool.padding = e.padding;
    pool.dilation = e.dilation;
    pool.ceil_mode = e.ceil_mode;
    return pool;
}

ops::AvgPool2d avg_pool(const Example& e) {
    ops::AvgPool2d pool;
    pool.kernel_size = e.kernel;
    pool.stride = e.stride;
    pool.padding = e.padding;
    pool.ceil_mode = e.ceil_mode;
    return pool;
}

}  // namespace

TEST_CASE("max pools agree with the reference in every layout") {
    for (const Example& e : examples) {
        for (const auto& input : inputs) check_kernel("cpu.pool", max_pool(e), {input});
    }
    ops::MaxPool1d one;
    one.kernel_size = 3;
    one.stride = 2;
    one.padding = 1;
    check_kernel("cpu.pool", one, {{2, 6, 5000}});
    ops::MaxPool3d three;
    three.kernel_size = {2, 3, 2};
    three.ceil_mode = true;
    check_kernel("cpu.pool", three, {{2, 5, 6, 7, 9}});
}

TEST_CASE("average pools agree with the reference for every way to count") {
    for (const Example& e : examples) {
        if (e.dilation.at(0) != 1) continue;
        for (const auto& input : inputs) {
            ops::AvgPool2d pool = avg_pool(e);
            check_kernel("cpu.pool", pool, {input}, {{ops::ReLU{}, {}}});
            pool.count_include_pad = false;
            check_kernel("cpu.pool", pool, {input});
            pool.divisor_override = 7;
            check_kernel("cpu.pool", pool, {input});
        }
    }
}

TEST_CASE("pools of p-norms and adaptive pools agree with the reference") {
    for (const double p : {1.0, 2.0}) {
        ops::LPPool2d pool;
        pool.norm_type = p;
        pool.kernel_size = {3, 2};
        pool.stride = 2;
        pool.ceil_mode = true;
        // Sums that cancel have no accurate root.
        check_kernel("cpu.pool", pool, {{2, 6, 12, 11}});
    }
    for (const IntList& size : {IntList(1), IntList{5, 3}, IntList(7), IntList{12, 10}, IntList{13, 11}}) {
        ops::AdaptiveAvgPool2d mean;
        mean.output_size = size;
        ops::AdaptiveMaxPool2d most;
        most.output_size = size;
        for (const auto& input : inputs) {
            check_kernel("cpu.pool", mean, {input}, {{ops::Add{}, {{input[1], 1, 1}}}});
            check_kernel("cpu.pool", most, {input});
        }
    }
    ops::AdaptiveAvgPool1d one;
    one.output_size = 5;
    check_kernel("cpu.pool", one, {{2, 6, 17}});
    ops::AdaptiveAvgPool3d three;
    three.output_size = {1, 2, 3};
    check_kernel("cpu.pool", three, {{2, 6, 3, 5, 7}});
}

TEST_CASE("a mean over many elements stays accurate") {
    ops::AdaptiveAvgPool2d mean;
    mean.output_size = 1;
    check_kernel("cpu.pool", mean, {{1, 17, 300, 311}}, {{ops::Add{100.0}, {}}});
}

TEST_CASE("max pools let NaN and infinities through") {
    const float inf = std::numeric_limits<float>::infinity();
    for (const auto& input : inputs) {
        KernelCase example(max_pool(examples[1]), {input});
        CHECK(example.run_nonfinite({std::numeric_limits<float>::quiet_NaN(), -inf, inf}).size() == 1);
        KernelCase mean(avg_pool(examples[1]), {input});
        CHECK(mean.run_nonfinite({std::numeric_limits<float>::quiet_NaN(), -inf, inf}).size() == 1);
    }
}
