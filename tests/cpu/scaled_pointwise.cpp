#include <doctest/doctest.h>

#include <limits>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/batch_norm.hpp"
#include "graph/ops/convolution.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/kernels.hpp"
#include "tests/cpu/group_harness.hpp"

using namespace seq;
using seq::test::GroupCase;

namespace {

struct Example {
    std::int64_t batch, in, out, height, width;
    std::int64_t stride = 1;
};

const std::vector<Example> examples{
    {1, 32, 16, 20, 21}, {3, 17, 33, 5, 7},  {2, 96, 24, 14, 15, 2},
    {1, 480, 112, 7, 7}, {5, 20, 300, 3, 3}, {1, 1, 1, 1, 2},
};

ops::Conv2d pointwise(const Example& e) {
    ops::Conv2d conv;
    conv.in_channels = e.in;
    conv.out_channels = e.out;
    conv.kernel_size = 1;
    conv.stride = e.stride;
    return conv;
}

void check_ran(GroupCase& example) {
    for (const int threads : {1, 2, 3}) {
        CAPTURE(threads);
        CHECK(example.run(cpu::scaled_pointwise_kernel(), threads) == (cpu_backend().isa != Isa::scalar));
    }
}

void check_scaling(const Example& e, bool scale_first, const std::vector<float>& special = {}) {
    CAPTURE(e.in);
    GroupCase example;
    Value* x = example.input({e.batch, e.in, e.height, e.width});
    Value* scale = example.input({e.batch, e.in, 1, 1});
    std::vector<Value*> factors{x, scale};
    if (scale_first) std::swap(factors[0], factors[1]);
    Value* scaled = example.add(ops::Mul{}, factors);
    std::vector<PostOpSpec> epilogue{{ops::ReLU6{}, {}, 0}};
    if (e.stride == 1 && e.in == e.out) epilogue.insert(epilogue.begin(), {ops::Add{}, {x}, 0});
    example.finish(example.add(pointwise(e), {scaled}, epilogue), special);
    check_ran(example);
}

void check_norm(const Example& e, bool relu, const std::vector<float>& special = {}) {
    CAPTURE(e.in);
    GroupCase example;
    Value* x = example.input({e.batch, e.in, e.height, e.width});
    std::vector<PostOpSpec> epilogue;
    if (relu) epilogue.push_back({ops::ReLU{}, {}, 0});
    Value* normed = example.add(ops::BatchNorm2d{}, {x}, epilogue);
    example.finish(example.add(pointwise(e), {normed}, {{ops::ReLU{}, {}, 0}}), special);
    check_ran(example);
}

}  // namespace

TEST_CASE("channels are scaled on their way into a 1×1 convolution") {
    for (const Example& example : examples) {
        for (const bool scale_first : {false, true}) check_scaling(example, scale_first);
    }
    check_scaling({2, 21, 21, 6, 6}, true);
}

TEST_CASE("norms with running statistics are done on the way into a 1×1 convolution") {
    for (const Example& example : examples) {
        for (const bool relu : {false, true}) check_norm(example, relu);
    }
}

TEST_CASE("NaN and Inf go through scaled 1×1 convolutions") {
    const float inf = std::numeric_limits<float>::infinity();
    check_scaling({2, 1, 9, 9, 9}, true, {std::numeric_limits<float>::quiet_NaN(), inf, -inf});
    check_norm({2, 1, 9, 9, 9}, true, {std::numeric_limits<float>::quiet_NaN(), inf, -inf});
}

TEST_CASE("a Mul of other operands, or one that others read, is no scaling") {
    GroupCase whole;
    Value* x = whole.input({1, 8, 5, 5});
    Value* product = whole.add(ops::Mul{}, {x, whole.input({1, 8, 5, 5})});
    whole.finish(whole.add(pointwise({1, 8, 8, 5, 5}), {product}));
    CHECK(!whole.run(cpu::scaled_pointwise_kernel(), 2));

    GroupCase shared;
    Value* y = shared.input({1, 8, 5, 5});
    Value* scaled = shared.add(ops::Mul{}, {y, shared.input({1, 8, 1, 1})});
    Value* out = shared.add(pointwise({1, 8, 8, 5, 5}), {scaled});
    shared.finish(shared.add(ops::Add{}, {out, scaled}));
    CHECK(!shared.run(cpu::scaled_pointwise_kernel(), 2));
}
