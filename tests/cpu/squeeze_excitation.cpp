#include <doctest/doctest.h>

#include <limits>

#include "graph/ops/activation.hpp"
#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/convolution.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/kernels.hpp"
#include "tests/cpu/group_harness.hpp"

using namespace seq;
using seq::test::GroupCase;

namespace {

struct Example {
    std::int64_t batch, channels, middle, out, height, width;
};

ops::Conv2d pointwise(std::int64_t in, std::int64_t out, bool bias) {
    ops::Conv2d conv;
    conv.in_channels = in;
    conv.out_channels = out;
    conv.kernel_size = 1;
    conv.bias = bias;
    return conv;
}

ops::AdaptiveAvgPool2d mean() {
    ops::AdaptiveAvgPool2d pool;
    pool.output_size = 1;
    return pool;
}

void check(const Example& e, const Op& squeeze, const Op& excitation, const std::vector<float>& special = {}) {
    CAPTURE(e.channels);
    CAPTURE(e.middle);
    GroupCase example;
    Value* x = example.input({e.batch, e.channels, e.height, e.width});
    Value* y = example.add(mean(), {x});
    y = example.add(pointwise(e.channels, e.middle, true), {y}, {{squeeze, {}, 0}});
    y = example.add(pointwise(e.middle, e.out, e.out % 2 == 0), {y}, {{excitation, {}, 0}});
    example.finish(y, special);
    for (const int threads : {1, 2, 3}) {
        CAPTURE(threads);
        CHECK(example.run(cpu::squeeze_excitation_kernel(), threads) == (cpu_backend().isa != Isa::scalar));
    }
}

const std::vector<Example> examples{
    {1, 1, 1, 1, 1, 1},        {1, 32, 8, 32, 56, 57},    {2, 17, 3, 33, 9, 7},
    {3, 100, 70, 130, 30, 31}, {1, 1152, 48, 1152, 7, 7}, {5, 40, 5, 40, 33, 35},
    {1, 672, 28, 672, 12, 13}, {2, 700, 33, 301, 11, 9},  {1, 144, 6, 144, 1, 400},
};

}  // namespace

TEST_CASE("a global mean and two 1×1 convolutions run as one") {
    for (const Example& example : examples) check(example, ops::SiLU{}, ops::Sigmoid{});
}

TEST_CASE("Squeeze-and-Excitation has the activations of its layers") {
    check(examples[3], ops::ReLU{}, ops::Hardsigmoid{});
    check(examples[3], ops::LeakyReLU{0.2}, ops::ReLU6{});
}

TEST_CASE("NaN and Inf go through Squeeze-and-Excitation") {
    const float inf = std::numeric_limits<float>::infinity();
    check({2, 3, 2, 5, 150, 120}, ops::ReLU{}, ops::Sigmoid{}, {std::numeric_limits<float>::quiet_NaN()});
    check({2, 3, 2, 5, 150, 120}, ops::SiLU{}, ops::Sigmoid{}, {inf});
    check({2, 3, 2, 5, 150, 120}, ops::SiLU{}, ops::Hardsigmoid{}, {inf, -inf, inf});
}

TEST_CASE("a mean that others read as well, or of windows, is none of a Squeeze-and-Excitation") {
    GroupCase shared;
    Value* y = shared.add(mean(), {shared.input({1, 8, 5, 5})});
    Value* z = shared.add(pointwise(2, 8, true), {shared.add(pointwise(8, 2, true), {y})});
    shared.finish(shared.add(ops::Add{}, {z, y}));
    CHECK(!shared.run(cpu::squeeze_excitation_kernel(), 2));

    GroupCase windows;
    ops::AdaptiveAvgPool2d pool;
    pool.output_size = 2;
    Value* means = windows.add(pool, {windows.input({1, 8, 5, 5})});
    windows.finish(windows.add(pointwise(2, 8, true), {windows.add(pointwise(8, 2, true), {means})}));
    CHECK(!windows.run(cpu::squeeze_excitation_kernel(), 2));
}
