#include <doctest/doctest.h>

#include <limits>
#include <string>
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
ops::ConvTranspose<2> transposed_with(std::int64_t padding) {
    ops::ConvTranspose<2> conv;
    conv.in_channels = conv.out_channels = 6;
    conv.kernel_size = 3;
    conv.padding = padding;
    return conv;
}

ops::Conv<2> grouped_with(std::int64_t padding) {
    ops::Conv<2> conv = test::conv<2>(32, 16, {3, 1, padding});
    conv.groups = 4;
    return conv;
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
        {"cpu.grouped", grouped_with(0), grouped_with(1), {1, 32, 9, 9}},
        {"cpu.transposed", transposed_with(2), transposed_with(0), {1, 6, 9, 9}},
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
        CHECK(test::refusal_of(e.kernel, *without, weights) == "");
        const std::string refusal = test::refusal_of(e.kernel, *with, weights);
        CAPTURE(refusal);
        CHECK(refusal.find("NaN") != std::string::npos);
    }
}
