#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "graph/ops/convolution.hpp"
#include "kernels/cpu/cpu.hpp"

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

}  // namespace seq::test
