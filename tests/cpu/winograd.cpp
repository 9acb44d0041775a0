#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/convolution.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/winograd/problem.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::KernelCase;

namespace {

ops::Conv2d conv3x3(std::int64_t in, std::int64_t out, Padding padding, bool bias = true) {
    ops::Conv2d conv;
    conv.in_channels = in;
    conv.out_channels = out;
    conv.kernel_size = 3;
    conv.padding = std::move(padding);
    conv.bias = bias;
    return conv;
}

bool has_winograd() { return cpu_backend().isa != Isa::scalar; }

/// That both forms of Winograd ran; on scalar code, that neither did.
void check_ran(const std::vector<std::string>& ran) {
    for (const char* name : {"cpu.winograd4", "cpu.winograd2"})
        CHECK(std::count(ran.begin(), ran.end(), name) == (has_winograd() ? 1 : 0));
}

}  // namespace

TEST_CASE("Winograd agrees with the reference for odd sizes, channels that fill no block, and paddings") {
    struct Example {
        std::int64_t batch, in, out, height, width;
        Padding padding;
        bool bias;
    };
    const std::vector<Example> examples{
        {1, 1, 1, 3, 3, 0, true},     {1, 16, 16, 8, 8, 1, true},      {2, 17, 33, 9, 7, 1, true},
        {1, 48, 40, 13, 6, 0, false}, {3, 5, 64, 4, 21, {2, 0}, true}, {1, 64, 96, 14, 14, "same", true},
        {1, 32, 8, 57, 33, 1, true},  {5, 24, 24, 7, 7, 1, false},     {1, 3, 100, 1, 1, 1, true},
        {1, 40, 31, 5, 5, 4, true},
    };
    for (const Example& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.out);
        CAPTURE(e.height);
        KernelCase example(conv3x3(e.in, e.out, e.padding, e.bias), {{e.batch, e.in, e.height, e.width}});
        check_ran(example.run_all());
    }
}

TEST_CASE("Winograd does residuals and activations, in registers or after them") {
    const std::vector<std::int64_t> whole{2, 20, 6, 5};
    const std::vector<std::vector<KernelCase::PostOpCase>> epilogues{
        {{ops::ReLU{}, {}}},
        {{ops::ReLU6{}, {}}},
        {{ops::Hardtanh{0.5, 2}, {}}},
        {{ops::Add{}, {whole}}},
        {{ops::Add{}, {whole}, 1}, {ops::ReLU{}, {}}},
        {{ops::Add{}, {whole}}, {ops::SiLU{}, {}}},
        {{ops::ReLU{}, {}}, {ops::Add{}, {whole}}},
        {{ops::Add{}, {whole, whole}}, {ops::ReLU{}, {}}},
        {{ops::Mul{}, {{20, 1, 1}}, 0, true}, {ops::ReLU{}, {}}},
        {{ops::Sub{}, {whole}}, {ops::ReLU{}, {}}},
        {{ops::Add{}, {{2, 20, 1, 1}}}},
    };
    for (const auto& epilogue : epilogues) {
        CAPTURE(epilogue.front().op.name());
        KernelCase example(conv3x3(9, 20, 1), {{2, 9, 6, 5}}, epilogue);
        check_ran(example.run_all());
    }
}

TEST_CASE("NaN and Inf stay where they belong in Winograd's form") {
    const float inf = std::numeric_limits<float>::infinity();
    for (const std::int64_t batch : {1, 2}) {
        KernelCase example(conv3x3(20, 35, 1), {{batch, 20, 9, 8}}, {{ops::ReLU{}, {}}});
        check_ran(example.run_nonfinite({std::numeric_limits<float>::quiet_NaN(), inf, -inf}));
    }
}

TEST_CASE("on many channels Winograd is within ten millionths of what f64 gives, relative to the largest number") {
    KernelCase example(conv3x3(512, 48, 1), {{1, 512, 12, 12}});
    example.expect_in_f64();
    check_ran(example.run_all(1e-5));
}

TEST_CASE("a cut covers everything once") {
    for (const std::int64_t count : {1, 5, 16, 49, 197}) {
        for (const std::int64_t parts : {1, 2, 5, 16}) {
            if (parts > count) continue;
            const cpu::winograd::Cut cut{count, parts};
            std::int64_t next = 0;
            for (std::int64_t part = 0; part < parts; ++part) {
                CHECK(cut.start(part) == next);
                for (std::int64_t i = 0; i < cut.size(part); ++i) CHECK(cut.part_of(next++) == part);
            }
            CHECK(next == count);
        }
    }
}
