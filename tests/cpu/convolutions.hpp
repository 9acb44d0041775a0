#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "graph/ops/convolution.hpp"
#include "kernels/cpu/cpu.hpp"
#include "tests/cpu/harness.hpp"

namespace seq::test {

struct Windows {
    IntList kernel, stride = 1, padding = 0, dilation = 1;
};

template <int N>
ops::Conv<N> conv(std::int64_t in, std::int64_t out, const Windows& windows, bool bias = true) {
    ops::Conv<N> conv;
    conv.in_channels = in;
    conv.out_channels = out;
    conv.kernel_size = windows.kernel;
    conv.stride = windows.stride;
    conv.padding = Padding{windows.padding};
    conv.dilation = windows.dilation;
    conv.bias = bias;
    return conv;
}

/// That a kernel of vectors ran, or did not where it should not; on scalar code, that it did not.
inline void check_ran(const std::vector<std::string>& ran, const char* kernel, bool does = true) {
    CAPTURE(kernel);
    CHECK(std::count(ran.begin(), ran.end(), kernel) == (cpu_backend().isa != Isa::scalar && does ? 1 : 0));
}

struct ConvExample {
    std::int64_t batch, in, out, height, width;
    Windows windows;
    bool bias = true;
};

/// That all kernels agree with the reference on each, and that one named `kernel` ran.
inline void check_examples(const std::vector<ConvExample>& examples, const char* kernel) {
    for (const ConvExample& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.out);
        CAPTURE(e.height);
        CAPTURE(e.width);
        KernelCase example(conv<2>(e.in, e.out, e.windows, e.bias), {{e.batch, e.in, e.height, e.width}});
        check_ran(example.run_all(), kernel);
    }
}

}  // namespace seq::test
