#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "graph/ops/conv_transpose.hpp"
#include "graph/ops/convolution.hpp"
#include "kernels/cpu/cpu.hpp"
#include "tests/cpu/convolutions.hpp"
#include "tests/cpu/harness.hpp"
#include "tests/node_case.hpp"

using namespace seq;

namespace {

/// Its windows meet zeros beside a picture where `padding` is less than 2.
ops::ConvTranspose<2> transposed(std::int64_t padding) {
    ops::ConvTranspose<2> conv;
    conv.in_channels = conv.out_channels = 6;
    conv.kernel_size = 3;
    conv.padding = padding;
    return conv;
}

ops::Conv<2> grouped(std::int64_t padding) {
    ops::Conv<2> conv = test::conv<2>(32, 16, {3, 1, padding});
    conv.groups = 4;
    return conv;
}

/// Why the kernel of that name does not take the node; empty where it does.
std::string refusal_of(std::string_view name, const Node& node, WeightProvider& weights) {
    KernelRequest request{node, {}, {}, {}};
    for (const Value* value : node.inputs) request.inputs.push_back(place(*value, Layout::plain()));
    request.outputs.push_back(place(*node.outputs[0], Layout::plain()));
    request.options.estimate = false;
    const KernelList& kernels = *cpu_backend().kernels;
    const auto kernel =
        std::find_if(kernels.begin(), kernels.end(), [&](const Kernel* k) { return k->name() == name; });
    REQUIRE(kernel != kernels.end());
    REQUIRE((*kernel)->supports(request));
    std::string refusal;
    return (*kernel)->prepare(request, weights, refusal) != nullptr ? "" : refusal;
}

}  // namespace

TEST_CASE("a layer that pads refuses a weight with NaN also where one that does not pad has packed it") {
    if (cpu_backend().isa == Isa::scalar) return;
    struct Example {
        const char* kernel;
        Op without, with;  // padding
        std::vector<std::int64_t> input;
    };
    const std::vector<Example> examples{
        {"cpu.few_channels", test::conv<2>(3, 20, {3}), test::conv<2>(3, 20, {3, 1, 1}), {1, 3, 9, 9}},
        {"cpu.few_channels", test::conv<1>(2, 20, {3}), test::conv<1>(2, 20, {3, 1, 1}), {1, 2, 90}},
        {"cpu.direct", test::conv<2>(24, 20, {3}), test::conv<2>(24, 20, {3, 1, 1}), {1, 24, 9, 9}},
        {"cpu.grouped", grouped(0), grouped(1), {1, 32, 9, 9}},
        {"cpu.transposed", transposed(2), transposed(0), {1, 6, 9, 9}},
    };
    for (const Example& e : examples) {
        CAPTURE(e.kernel);
        Graph first, second;
        const Node* without = test::add_case(first, e.without, {e.input}, {}, {});
        Node* with = test::add_case(second, e.with, {e.input}, {}, {});
        test::MemoryWeights weights;
        for (std::size_t i = 1; i < without->inputs.size(); ++i) {
            with->inputs[i] = without->inputs[i];
            const auto numbers = test::random_input(*without, i);
            if (i == 1) numbers->data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
            weights.set(*without->inputs[i], numbers);
        }
        CHECK(refusal_of(e.kernel, *without, weights) == "");
        const std::string refusal = refusal_of(e.kernel, *with, weights);
        CAPTURE(refusal);
        CHECK(refusal.find("NaN") != std::string::npos);
    }
}
