#include "graph/ops/convolution.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/linear.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::check_kernel;
using seq::test::KernelCase;

namespace {

ops::Conv2d conv2d(std::int64_t in, std::int64_t out, IntList kernel) {
    ops::Conv2d conv;
    conv.in_channels = in;
    conv.out_channels = out;
    conv.kernel_size = std::move(kernel);
    return conv;
}

}  // namespace

TEST_CASE("Conv2d agrees with the reference for odd sizes, groups, strides, dilations and paddings") {
    struct Example {
        std::int64_t batch, in, out, groups;
        IntList kernel, stride;
        Padding padding;
        IntList dilation;
        bool bias;
        std::int64_t height, width;
    };
    const std::vector<Example> examples{
        {1, 3, 16, 1, 3, 1, 1, 1, true, 9, 7},     {2, 5, 7, 1, 3, 2, 0, 1, true, 8, 9},
        {3, 16, 32, 1, 1, 1, 0, 1, false, 5, 5},   {1, 18, 18, 18, 3, 2, 2, 1, true, 12, 10},
        {2, 12, 24, 2, 3, 1, 0, 1, false, 12, 10}, {1, 6, 4, 1, 3, {2, 1}, 3, 2, true, 12, 10},
        {2, 6, 6, 1, 4, 1, "same", 1, true, 7, 6}, {1, 8, 8, 1, {1, 5}, 1, {0, 2}, 1, true, 6, 9},
        {1, 1, 1, 1, 1, 1, 0, 1, true, 1, 1},      {1, 64, 64, 1, 3, 1, 1, 1, true, 14, 14},
        {2, 32, 32, 32, 5, 1, 2, 1, true, 9, 9},   {1, 21, 21, 7, 3, 1, "same", {2, 3}, true, 11, 13},
        {1, 17, 33, 1, 7, 3, 3, 1, true, 23, 20},  {1, 4, 8, 4, 3, 1, 1, 1, true, 6, 6},
        {1, 2, 3, 1, 2, 5, 1, 1, true, 4, 4},
    };
    for (const Example& e : examples) {
        ops::Conv2d conv = conv2d(e.in, e.out, e.kernel);
        conv.stride = e.stride;
        conv.padding = e.padding;
        conv.dilation = e.dilation;
        conv.groups = e.groups;
        conv.bias = e.bias;
        CAPTURE(e.in);
        CAPTURE(e.out);
        check_kernel("onednn.convolution", conv, {{e.batch, e.in, e.height, e.width}});
    }
}

TEST_CASE("Conv1d and Conv3d agree with the reference") {
    ops::Conv1d one;
    one.in_channels = 6;
    one.out_channels = 9;
    one.kernel_size = 3;
    one.stride = 2;
    one.padding = 1;
    one.dilation = 2;
    check_kernel("onednn.convolution", one, {{2, 6, 24}});
    ops::Conv3d three;
    three.in_channels = 2;
    three.out_channels = 5;
    three.kernel_size = {3, 2, 3};
    three.padding = 1;
    check_kernel("onednn.convolution", three, {{1, 2, 6, 7, 5}});
}

TEST_CASE("convolutions with padding that is not of zeros agree with the reference") {
    for (const char* mode : {"reflect", "replicate", "circular"}) {
        ops::Conv2d conv = conv2d(6, 20, 3);
        conv.padding = {1, 2};
        conv.padding_mode = mode;
        check_kernel("onednn.padded_convolution", conv, {{2, 6, 7, 5}}, {{ops::ReLU{}, {}}});
        conv.padding = "same";
        conv.groups = 2;
        conv.kernel_size = {2, 5};
        check_kernel("onednn.padded_convolution", conv, {{1, 6, 7, 5}}, {{ops::Add{}, {{1, 20, 7, 5}}}});
        ops::Conv1d one;
        one.in_channels = 16;
        one.out_channels = 16;
        one.kernel_size = 3;
        one.padding = 2;
        one.padding_mode = mode;
        check_kernel("onednn.padded_convolution", one, {{1, 16, 9}});
    }
}

TEST_CASE("epilogues of a convolution: fused, half fused and not fused") {
    using Post = KernelCase::PostOpCase;
    const std::vector<std::int64_t> whole{2, 20, 6, 5};
    const std::vector<std::vector<Post>> epilogues{
        {{ops::ReLU{}, {}}},
        {{ops::SiLU{}, {}}},
        {{ops::SELU{}, {}}},
        {{ops::Softsign{}, {}}, {ops::ReLU{}, {}}},
        {{ops::Add{}, {whole}}, {ops::ReLU{}, {}}},
        {{ops::Sub{}, {whole}, 1}, {ops::ReLU6{}, {}}},
        {{ops::Sigmoid{}, {}}, {ops::Div{}, {whole}, 1}},
        {{ops::Mul{}, {{20, 1, 1}}, 0, true}, {ops::Add{}, {{20, 1, 1}}, 0, true}, {ops::Hardswish{}, {}}},
        {{ops::Mul{}, {{2, 20, 1, 1}}}},
        {{ops::Mul{}, {{2, 1, 6, 5}}}, {ops::GELU{}, {}}},
        {{ops::Mul{}, {{20, 1, 1}}}, {ops::Mish{}, {}}},
        {{ops::Add{}, {whole, {6, 5}}}},
        {{ops::Sub{}, {whole, whole}, 2}, {ops::Sigmoid{}, {}}},
        {{ops::Add{2.5}, {}}, {ops::Div{2.0}, {}}, {ops::Tanh{}, {}}},
        {{ops::PReLU{20}, {{20}}, 0, true}},
    };
    for (const auto& epilogue : epilogues) {
        CAPTURE(epilogue.front().op.name());
        ops::Conv2d conv = conv2d(3, 20, 3);
        conv.padding = 1;
        check_kernel("onednn.convolution", conv, {{2, 3, 6, 5}}, epilogue);
    }
}

TEST_CASE("NaN and Inf go through a convolution with a fused activation as in PyTorch") {
    for (const Op& activation :
         {Op(ops::ReLU{}), Op(ops::ReLU6{}), Op(ops::Sigmoid{}), Op(ops::Tanh{}), Op(ops::ELU{})}) {
        CAPTURE(activation.name());
        ops::Conv2d conv = conv2d(3, 20, 3);
        KernelCase example(conv, {{1, 3, 9, 8}}, {{activation, {}}});
        const float inf = std::numeric_limits<float>::infinity();
        const auto ran = example.run_nonfinite({std::numeric_limits<float>::quiet_NaN(), inf, -inf});
        CHECK(std::count(ran.begin(), ran.end(), "onednn.convolution") == 1);
    }
}

TEST_CASE("Linear agrees with the reference") {
    for (const auto& [in, out, rows] : std::vector<std::array<std::int64_t, 3>>{
             {10, 50, 32}, {1, 1, 1}, {128, 64, 3}, {33, 17, 2}, {784, 512, 1}, {7, 1000, 5}}) {
        ops::Linear linear;
        linear.in_features = in;
        linear.out_features = out;
        check_kernel("onednn.inner_product", linear, {{rows, in}}, {{ops::ReLU{}, {}}});
        linear.bias = false;
        check_kernel("onednn.inner_product", linear, {{2, rows, in}},
                     {{ops::Add{}, {{2, rows, out}}}, {ops::GELU{}, {}}});
        check_kernel("onednn.inner_product", linear, {{in}}, {{ops::Mul{}, {{out}}, 0, true}});
    }
}
