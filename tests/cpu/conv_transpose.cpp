#include "graph/ops/conv_transpose.hpp"

#include <doctest/doctest.h>

#include "graph/ops/activation.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::check_kernel;

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
