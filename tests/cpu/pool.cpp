#include "graph/ops/pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "graph/convert.hpp"
#include "graph/ops/activation.hpp"
#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/arithmetic.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/pool/rows.hpp"
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
const std::vector<std::vector<std::int64_t>> inputs{
    {2, 6, 12, 10}, {1, 16, 9, 9}, {3, 1, 7, 11}, {1, 21, 8, 5}, {1, 3, 9, 71}};

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

/// Windows over a line, as a pool that pads both sides has them.
cpu::PoolAxis axis_of(std::int64_t length, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    cpu::PoolAxis axis{length, (length + 2 * padding - kernel) / stride + 1, 1, {}, {}, {}, {}};
    for (std::int64_t x = 0; x < axis.out; ++x) {
        const std::int64_t start = x * stride - padding;
        axis.first.push_back(std::max<std::int64_t>(start, 0));
        axis.end.push_back(std::min(start + kernel, length));
        axis.count.push_back(static_cast<float>(kernel));
    }
    return axis;
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

TEST_CASE("pools along lines that are cut into parts, and over windows wider than one, agree with the reference") {
    struct Line {
        std::int64_t length, kernel, stride, padding, dilation;
    };
    for (const Line& e : std::vector<Line>{{9000, 4, 4, 0, 1},
                                           {4500, 3, 1, 1, 1},
                                           {5000, 2, 5, 1, 1},
                                           {7001, 2500, 2, 1250, 1},
                                           {9000, 2100, 3000, 0, 1},
                                           {9000, 3, 7, 1, 1200},
                                           {9000, 5, 1, 2, 2048},
                                           {4000, 2, 2500, 0, 1}}) {
        CAPTURE(e.length);
        CAPTURE(e.kernel);
        ops::MaxPool1d most;
        most.kernel_size = e.kernel;
        most.stride = e.stride;
        most.padding = e.padding;
        most.dilation = e.dilation;
        check_kernel("cpu.pool", most, {{2, 3, e.length}});
        if (e.dilation > 1) continue;
        ops::AvgPool1d mean;
        mean.kernel_size = e.kernel;
        mean.stride = e.stride;
        mean.padding = e.padding;
        check_kernel("cpu.pool", mean, {{2, 3, e.length}});
    }
}

TEST_CASE("even runs have the outputs around the middle that begin a stride apart, parts all outputs in order") {
    for (const std::int64_t stride : {1, 2, 5}) {
        for (const std::int64_t length : {3, 4, 17, 3000, 9001}) {
            CAPTURE(stride);
            CAPTURE(length);
            const cpu::PoolAxis axis = axis_of(length, 3, stride, 1);
            const cpu::EvenRun even = cpu::even_run_of(axis);
            for (std::int64_t x = 1; axis.out > 3 && x < axis.out; ++x) {
                CHECK(even.taps == 3);
                const bool whole = x * stride + 2 <= length;  // all but the first window begin within the line
                CHECK((x >= even.first && x < even.last) == whole);
            }
            std::int64_t next = 0;
            for (const cpu::LinePart& part : cpu::line_parts_of(axis)) {
                CHECK(part.first == next);
                CHECK(part.end - part.begin <= cpu::PoolPlan::most_columns);
                for (next = part.first; next < part.last; ++next) {
                    CHECK(axis.first[static_cast<std::size_t>(next)] >= part.begin);
                    CHECK(axis.end[static_cast<std::size_t>(next)] <= part.end);
                }
            }
            CHECK(next == axis.out);
        }
    }
    const cpu::PoolAxis uneven{5, 3, 1, {0, 1, 3}, {2, 4, 5}, {2, 3, 2}, {}};
    CHECK(cpu::even_run_of(uneven).last - cpu::even_run_of(uneven).first == 1);
}

TEST_CASE("pools of numbers that are kept as bf16 round their results to the nearest") {
    std::vector<cpu::PoolRows (*)(cpu::PoolMode, cpu::PoolNumbers, bool)> sets{cpu::pool_rows_baseline};
    if (cpu_backend().isa != Isa::scalar) sets.push_back(cpu::pool_rows_avx2);
    if (cpu_backend().isa == Isa::avx512) sets.push_back(cpu::pool_rows_avx512);
    for (const std::int64_t channels : {1, 5, 19}) {
        cpu::PoolPlan plan;
        plan.mode = cpu::PoolMode::mean;
        plan.axes[2] = axis_of(61, 3, 2, 1);
        plan.axes[2].even = cpu::even_run_of(plan.axes[2]);
        plan.parts = cpu::line_parts_of(plan.axes[2]);
        plan.width = channels;
        const std::int64_t count = 61 * channels, results = plan.axes[2].out * channels;
        std::vector<std::uint16_t> from(static_cast<std::size_t>(count)), to(static_cast<std::size_t>(results));
        std::mt19937 random(3);
        for (std::uint16_t& number : from) number = f32_to_bf16(std::uniform_real_distribution<float>(-1, 1)(random));
        for (const auto rows : sets) {
            rows(plan.mode, cpu::PoolNumbers::bf16, channels == 1)(&plan, from.data(), to.data(), 0, 1);
            for (std::int64_t i = 0; i < results; ++i) {
                const auto x = static_cast<std::size_t>(i / channels);
                float sum = 0;
                for (std::int64_t w = plan.axes[2].first[x]; w < plan.axes[2].end[x]; ++w)
                    sum += bf16_to_f32(from[static_cast<std::size_t>(w * channels + i % channels)]);
                const float expected = sum / plan.axes[2].count[x];
                // Half a step of bf16, which has 8 bits, and a little that f32 rounds.
                CHECK(std::abs(bf16_to_f32(to[static_cast<std::size_t>(i)]) - expected) <=
                      std::abs(expected) * 0x1.01p-8f);
            }
        }
    }
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
