#include <doctest/doctest.h>

#include <limits>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/convolution.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/kernels.hpp"
#include "tests/cpu/group_harness.hpp"

using namespace seq;
using seq::test::GroupCase;

namespace {

/// An inverted residual block, or a part of it.
struct Example {
    std::int64_t batch, in, hidden, out, height, width;
    std::int64_t kernel = 3, stride = 1;
    bool expands = true, projects = true, adds = false;
};

ops::Conv2d pointwise(std::int64_t in, std::int64_t out, bool bias) {
    ops::Conv2d conv;
    conv.in_channels = in;
    conv.out_channels = out;
    conv.kernel_size = 1;
    conv.bias = bias;
    return conv;
}

ops::Conv2d depthwise(const Example& e) {
    ops::Conv2d conv;
    conv.in_channels = conv.out_channels = conv.groups = e.hidden;
    conv.kernel_size = e.kernel;
    conv.stride = e.stride;
    conv.padding = e.kernel / 2;
    return conv;
}

void check(const Example& e, const Op& activation, const std::vector<float>& special = {}) {
    for (const int threads : {1, 2, 3}) {
        CAPTURE(e.in);
        CAPTURE(e.hidden);
        CAPTURE(e.height);
        CAPTURE(threads);
        GroupCase example;
        Value* x = example.input({e.batch, e.expands ? e.in : e.hidden, e.height, e.width});
        Value* y = x;
        if (e.expands) y = example.add(pointwise(e.in, e.hidden, true), {y}, {{activation, {}, 0}});
        y = example.add(depthwise(e), {y}, {{activation, {}, 0}});
        if (e.projects) {
            std::vector<PostOpSpec> epilogue;
            if (e.adds) epilogue.push_back({ops::Add{}, {x}, 0});
            y = example.add(pointwise(e.hidden, e.out, e.adds), {y}, epilogue);
        }
        example.finish(y, special);
        CHECK(example.run(cpu::inverted_residual_kernel(), threads) == (cpu_backend().isa != Isa::scalar));
    }
}

const std::vector<Example> examples{
    {1, 16, 96, 24, 30, 31, 3, 2},
    {2, 5, 17, 9, 40, 13},
    {1, 24, 144, 24, 28, 28, 3, 1, true, true, true},
    {1, 64, 384, 64, 14, 14, 3, 1, true, true, true},
    {1, 33, 100, 33, 7, 7, 5, 1, true, true, true},
    {3, 16, 40, 12, 7, 9, 5, 2},
    {1, 160, 960, 160, 7, 7},
    {1, 0, 35, 17, 26, 19, 3, 1, false},
    {5, 0, 64, 128, 9, 9, 3, 2, false},
    {1, 40, 240, 0, 15, 15, 5, 1, true, false},
    {2, 16, 700, 0, 25, 60, 3, 2, true, false},
    {1, 3, 2, 1, 1, 1},
    {1, 4, 6, 8, 12, 12, 1, 2},
};

}  // namespace

TEST_CASE("depthwise convolutions run as one with the 1×1 convolutions around them") {
    for (const Example& example : examples) check(example, ops::ReLU6{});
}

TEST_CASE("inverted residuals have the activations of their layers") {
    for (const Op& activation : {Op(ops::SiLU{}), Op(ops::Hardswish{}), Op(ops::ReLU{}), Op(ops::LeakyReLU{0.2})}) {
        CAPTURE(activation.name());
        check(examples[0], activation);
        check(examples[4], activation);
    }
}

TEST_CASE("NaN and Inf stay where they belong in inverted residuals") {
    const float inf = std::numeric_limits<float>::infinity();
    check({1, 1, 17, 9, 30, 30, 3, 1}, ops::ReLU6{}, {std::numeric_limits<float>::quiet_NaN(), inf, -inf});
    check({1, 0, 17, 9, 30, 30, 3, 1, false}, ops::SiLU{}, {std::numeric_limits<float>::quiet_NaN(), inf, -inf});
}

TEST_CASE("what others use as well is not drawn into an inverted residual") {
    GroupCase example;
    Value* x = example.input({1, 8, 10, 10});
    const Example sizes{1, 8, 32, 8, 10, 10};
    Value* expanded = example.add(pointwise(8, 32, true), {x});
    Value* middle = example.add(depthwise(sizes), {expanded});
    Value* sum = example.add(ops::Add{}, {middle, expanded});
    example.finish(sum);
    CHECK(!example.run(cpu::inverted_residual_kernel(), 2));
}
