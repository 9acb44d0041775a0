#include "graph/ops/conv_transpose.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "kernels/cpu/cpu.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::check_kernel;
using seq::test::KernelCase;

TEST_CASE("transposed convolutions agree with the reference") {
    struct Example {
        std::int64_t in, out, groups, kernel, stride, padding, output_padding, dilation;
        bool bias;
    };
    const std::vector<Example> examples{
        {6, 4, 1, 3, 2, 1, 1, 1, true}, {6, 4, 1, 4, 2, 1, 0, 1, false}, {16, 32, 1, 3, 1, 1, 0, 1, true},
        {6, 9, 3, 3, 2, 0, 1, 2, true}, {5, 7, 1, 2, 3, 0, 2, 1, true},  {8, 8, 8, 3, 2, 1, 1, 1, true},
        {1, 1, 1, 1, 1, 0, 0, 1, true}, {4, 6, 2, 3, 1, 2, 0, 2, false},
    };
    for (const Example& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.output_padding);
        ops::ConvTranspose2d conv;
        conv.in_channels = e.in;
        conv.out_channels = e.out;
        conv.groups = e.groups;
        conv.kernel_size = e.kernel;
        conv.stride = e.stride;
        conv.padding = e.padding;
        conv.output_padding = e.output_padding;
        conv.dilation = e.dilation;
        conv.bias = e.bias;
        check_kernel("onednn.deconvolution", conv, {{2, e.in, 7, 6}}, {{ops::SiLU{}, {}}});
    }
    ops::ConvTranspose1d one;
    one.in_channels = 6;
    one.out_channels = 4;
    one.kernel_size = 4;
    one.stride = 2;
    one.padding = 1;
    check_kernel("onednn.deconvolution", one, {{3, 6, 11}});
    ops::ConvTranspose3d three;
    three.in_channels = 2;
    three.out_channels = 3;
    three.kernel_size = 3;
    three.stride = {1, 2, 2};
    three.output_padding = {0, 1, 1};
    check_kernel("onednn.deconvolution", three, {{1, 2, 3, 4, 5}});
}

namespace {

/// onednn.deconvolution of depthwise windows with ReLU and a sum after it; nullptr where this build has none.
template <int N>
std::unique_ptr<PreparedKernel> prepare_depthwise() {
    const std::int64_t channels = 64;
    ops::ConvTranspose<N> conv;
    conv.in_channels = conv.out_channels = conv.groups = channels;
    conv.kernel_size = 4;
    conv.stride = 2;
    conv.padding = 1;
    std::vector<std::int64_t> input{1, channels}, output{1, channels};
    input.resize(2 + N, 8);
    output.resize(2 + N, 16);
    Graph graph;
    const Node* node = test::add_case(graph, conv, {input}, {{ops::ReLU{}, {}}, {ops::Add{}, {output}}}, {});
    KernelRequest request{*node, {}, {}, {}};
    for (const Value* value : node->inputs) request.inputs.push_back(place(*value, Layout::plain()));
    request.outputs.push_back(place(*node->outputs[0], Layout::plain()));
    for (const Kernel* kernel : *cpu_backend().kernels) {
        if (kernel->name() != "onednn.deconvolution" || !kernel->supports(request)) continue;
        test::MemoryWeights weights;
        std::string refusal;
        auto prepared = kernel->prepare(request, weights, refusal);
        CAPTURE(refusal);
        REQUIRE(prepared != nullptr);
        return prepared;
    }
    return nullptr;
}

}  // namespace

TEST_CASE("an epilogue that oneDNN would apply number by number is left to our own code") {
    std::unique_ptr<PreparedKernel> all[]{prepare_depthwise<1>(), prepare_depthwise<2>(), prepare_depthwise<3>()};
    for (const auto& prepared : all) {
        if (prepared == nullptr || !prepared->description.starts_with("oneDNN conv:any")) continue;
        CHECK(prepared->ignores_nonfinite);  // a ReLU of oneDNN's would lose NaN
    }
}

TEST_CASE("transposed convolutions whose windows lie side by side are products of matrices") {
    const bool vectors = cpu_backend().isa != Isa::scalar;
    const auto check = [&](const Op& op, const std::vector<std::int64_t>& sizes,
                           const std::vector<KernelCase::PostOpCase>& epilogue = {}) {
        KernelCase example(op, {sizes}, epilogue);
        const auto ran = example.run_all();
        CHECK((std::count(ran.begin(), ran.end(), "cpu.spread") > 0) == vectors);
    };
    struct Example {
        std::int64_t batch, in, out, height, width, window_height, window_width;
        bool bias = true;
    };
    const std::vector<Example> examples{{1, 1, 1, 1, 1, 1, 1},     {2, 3, 5, 4, 7, 2, 2},
                                        {1, 16, 16, 5, 3, 2, 2},   {3, 32, 48, 9, 17, 2, 2, false},
                                        {1, 33, 17, 2, 31, 3, 2},  {2, 17, 64, 6, 5, 1, 4},
                                        {1, 8, 8, 3, 3, 4, 1},     {5, 64, 32, 8, 8, 2, 3},
                                        {1, 130, 70, 3, 40, 2, 2}, {1, 20, 16, 65, 33, 2, 2, false}};
    for (const Example& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.out);
        CAPTURE(e.width);
        ops::ConvTranspose2d conv;
        conv.in_channels = e.in;
        conv.out_channels = e.out;
        conv.kernel_size = conv.stride = {e.window_height, e.window_width};
        conv.bias = e.bias;
        check(conv, {e.batch, e.in, e.height, e.width}, {{ops::SiLU{}, {}}});
        const std::vector<std::int64_t> whole{e.batch, e.out, e.height * e.window_height, e.width * e.window_width};
        check(conv, {e.batch, e.in, e.height, e.width}, {{ops::Add{}, {whole}, 1}, {ops::ReLU{}, {}}});
        ops::ConvTranspose1d line;
        line.in_channels = e.in;
        line.out_channels = e.out;
        line.kernel_size = line.stride = e.window_width;
        line.bias = e.bias;
        check(line, {e.batch, e.in, e.width}, {{ops::ReLU6{}, {}}});
    }
    const float inf = std::numeric_limits<float>::infinity();
    ops::ConvTranspose2d conv;
    conv.in_channels = 5;
    conv.out_channels = 19;
    conv.kernel_size = conv.stride = 2;
    KernelCase example(conv, {{2, 5, 6, 7}}, {{ops::ReLU{}, {}}});
    const auto ran = example.run_nonfinite({std::numeric_limits<float>::quiet_NaN(), inf, -inf, 1e30f});
    CHECK((std::count(ran.begin(), ran.end(), "cpu.spread") > 0) == vectors);
}
