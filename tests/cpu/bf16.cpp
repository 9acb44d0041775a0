#include "kernels/cpu/bf16.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "graph/convert.hpp"
#include "graph/ops/activation.hpp"
#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/concat.hpp"
#include "graph/ops/conv_transpose.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/matmul.hpp"
#include "graph/ops/pad.hpp"
#include "graph/ops/permute.hpp"
#include "graph/ops/pool.hpp"
#include "graph/ops/upsample.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/isa.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::KernelCase;

namespace {

using Sizes = std::vector<std::int64_t>;
using PostOpCase = KernelCase::PostOpCase;

bool has_bf16() { return cpu_backend().lacks(MathMode::bf16).empty(); }

/// Every kernel that takes bf16 gives what f64 makes of the same rounded numbers, but for f32's sums and, where the
/// result is kept as bf16, one rounding; one that is named `kernel` is among them.
void check_lowered(const std::string& kernel, Op op, std::vector<Sizes> inputs, std::vector<PostOpCase> epilogue = {}) {
    KernelCase example(std::move(op), std::move(inputs), std::move(epilogue));
    const auto ran = example.run_lowered();
    CAPTURE(kernel);
    CHECK(std::find(ran.begin(), ran.end(), kernel) != ran.end());
}

ops::Conv2d conv2d(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride = 1,
                   std::int64_t padding = 0, std::int64_t groups = 1) {
    ops::Conv2d conv;
    conv.in_channels = in;
    conv.out_channels = out;
    conv.kernel_size = kernel;
    conv.stride = stride;
    conv.padding = padding;
    conv.groups = groups;
    return conv;
}

ops::Linear linear(std::int64_t in, std::int64_t out) {
    ops::Linear op;
    op.in_features = in;
    op.out_features = out;
    return op;
}

}  // namespace

TEST_CASE("bf16: numbers are rounded as the scalar code rounds them, at every instruction set and length") {
    std::mt19937 generator(3);
    std::vector<float> numbers(1000);
    for (float& number : numbers) {
        const std::uint32_t bits = static_cast<std::uint32_t>(generator());
        std::memcpy(&number, &bits, sizeof number);
    }
    const float infinity = std::numeric_limits<float>::infinity();
    numbers.insert(numbers.begin(), {0.0f, -0.0f, infinity, -infinity, std::nanf(""), 3.3961775e38f, 1.00390625f});
    for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
        if (isa > cpu::machine_isa()) continue;
        for (const std::int64_t count : {0, 1, 7, 15, 16, 17, 33, 1000}) {
            std::vector<std::uint16_t> narrow(1001, 0x1234);
            std::vector<float> wide(1001, 1.5f);
            cpu::find_narrow(isa)(numbers.data(), narrow.data(), count);
            cpu::find_widen(isa)(narrow.data(), wide.data(), count);
            for (std::int64_t i = 0; i < count; ++i) {
                const auto k = static_cast<std::size_t>(i);
                CHECK(narrow[k] == f32_to_bf16(numbers[k]));
                const float back = bf16_to_f32(narrow[k]);
                CHECK(std::memcmp(&wide[k], &back, sizeof back) == 0);
            }
            CHECK(narrow[static_cast<std::size_t>(count)] == 0x1234);
            CHECK(wide[static_cast<std::size_t>(count)] == 1.5f);
        }
    }
}

TEST_CASE("bf16: convolutions of odd sizes, strides, groups and paddings") {
    if (!has_bf16()) return;
    for (const std::int64_t channels : {1, 3, 5, 16, 17, 33, 64}) {
        CAPTURE(channels);
        check_lowered("onednn.convolution", conv2d(channels, 19, 3, 1, 1), {{2, channels, 9, 7}});
        check_lowered("onednn.convolution", conv2d(channels, 32, 1, 2), {{5, channels, 8, 5}});
    }
    check_lowered("onednn.convolution", conv2d(3, 64, 7, 2, 3), {{1, 3, 23, 20}});
    check_lowered("onednn.convolution", conv2d(32, 32, 3, 1, 1, 32), {{1, 32, 9, 9}});
    check_lowered("onednn.convolution", conv2d(12, 24, 3, 2, 0, 2), {{2, 12, 12, 10}});
    ops::Conv2d mirrored = conv2d(5, 8, 3, 1, 1);
    mirrored.padding_mode = "reflect";
    check_lowered("onednn.padded_convolution", mirrored, {{2, 5, 9, 7}});
    ops::Conv1d dilated;
    dilated.in_channels = 6;
    dilated.out_channels = 10;
    dilated.kernel_size = 3;
    dilated.dilation = 4;
    dilated.padding = 4;
    check_lowered("onednn.convolution", dilated, {{2, 6, 31}});
    ops::ConvTranspose2d up;
    up.in_channels = 17;
    up.out_channels = 9;
    up.kernel_size = 2;
    up.stride = 2;
    check_lowered("onednn.deconvolution", up, {{2, 17, 5, 6}});
}

TEST_CASE("bf16: convolutions by tiles, of every stride, dilation, padding and number of pixels") {
    const auto kernels = *cpu_backend().kernels;
    const auto tiles = std::find_if(kernels.begin(), kernels.end(),
                                    [](const Kernel* kernel) { return kernel->name() == "cpu.amx_convolution"; });
    KernelCase probe(conv2d(32, 32, 1), {{1, 32, 2, 2}});
    const auto ran = probe.run_lowered();
    REQUIRE(tiles != kernels.end());
    if (std::find(ran.begin(), ran.end(), "cpu.amx_convolution") == ran.end()) return;  // the machine has none
    for (const std::int64_t pixels : {1, 2, 3, 5, 7, 14}) {
        CAPTURE(pixels);
        check_lowered("cpu.amx_convolution", conv2d(64, 96, 1), {{5, 64, pixels, pixels}});
        check_lowered("cpu.amx_convolution", conv2d(32, 64, 3, 1, 1), {{2, 32, pixels, pixels + 1}});
        check_lowered("cpu.amx_convolution", conv2d(32, 32, 3, 2, 1), {{3, 32, pixels, pixels + 2}});
        check_lowered("cpu.amx_convolution", conv2d(32, 32, 1, 2), {{2, 32, pixels, pixels}});
    }
    check_lowered("cpu.amx_convolution", conv2d(32, 32, 3), {{2, 32, 9, 8}});
    check_lowered("cpu.amx_convolution", conv2d(32, 32, 2, 3, 1), {{1, 32, 11, 13}});
    check_lowered("cpu.amx_convolution", conv2d(320, 32, 1), {{1, 320, 40, 40}});
    ops::Conv2d odd = conv2d(32, 64, 3);
    odd.kernel_size = {3, 2};
    odd.stride = {2, 1};
    odd.dilation = {3, 2};
    odd.padding = {2, 1};
    odd.bias = false;
    check_lowered("cpu.amx_convolution", odd, {{2, 32, 12, 9}});
    const Sizes result{2, 64, 5, 7};
    check_lowered("cpu.amx_convolution", conv2d(32, 64, 3, 1, 1), {{2, 32, 5, 7}},
                  {{ops::Add{}, {result}}, {ops::ReLU{}, {}}});
    check_lowered("cpu.amx_convolution", conv2d(32, 64, 1), {{2, 32, 5, 7}}, {{ops::Hardtanh{}, {}}});
    const float infinity = std::numeric_limits<float>::infinity();
    KernelCase(conv2d(32, 64, 3, 2, 1), {{2, 32, 5, 7}}, {{ops::ReLU{}, {}}})
        .run_lowered({std::nanf(""), infinity, -infinity}, 0x1p-7);
}

TEST_CASE("bf16: Linear and MatMul") {
    if (!has_bf16()) return;
    for (const std::int64_t features : {1, 3, 17, 33, 128}) {
        check_lowered("onednn.inner_product", linear(features, 10), {{5, features}});
        check_lowered("onednn.inner_product", linear(features, 33), {{2, 3, features}});
        check_lowered("onednn.matmul", ops::MatMul{}, {{2, 7, features}, {2, features, 5}});
    }
}

TEST_CASE("bf16: epilogues, residual sums among them") {
    if (!has_bf16()) return;
    check_lowered("onednn.convolution", conv2d(16, 32, 1), {{2, 16, 7, 5}},
                  {{ops::Add{}, {{2, 32, 7, 5}}}, {ops::ReLU{}, {}}});
    check_lowered("onednn.convolution", conv2d(5, 17, 3, 1, 1), {{1, 5, 7, 5}},
                  {{ops::Add{}, {{1, 17, 7, 5}}}, {ops::ReLU{}, {}}});
    check_lowered("onednn.inner_product", linear(33, 17), {{3, 33}}, {{ops::GELU{}, {}}});
}

TEST_CASE("bf16: activations, arithmetic, pools and what moves numbers") {
    if (!has_bf16()) return;
    for (const std::int64_t channels : {1, 3, 16, 21}) {
        CAPTURE(channels);
        const Sizes sizes{2, channels, 9, 7};
        check_lowered("cpu.elementwise", ops::ReLU{}, {sizes});
        check_lowered("cpu.elementwise", ops::Sigmoid{}, {sizes});
        check_lowered("cpu.elementwise", ops::Mul{}, {sizes, {2, channels, 1, 1}});
        check_lowered("cpu.elementwise", ops::Add{}, {sizes, sizes});
        ops::MaxPool2d largest;
        largest.kernel_size = 3;
        largest.stride = 2;
        largest.padding = 1;
        check_lowered("cpu.pool", largest, {sizes});
        ops::AvgPool2d mean;
        mean.kernel_size = 2;
        check_lowered("cpu.pool", mean, {sizes});
        ops::AdaptiveAvgPool2d whole;
        whole.output_size = 1;
        check_lowered("cpu.pool", whole, {sizes});
        check_lowered("cpu.rearrange", ops::Concat{}, {sizes, {2, 16, 9, 7}});
        ops::ZeroPad2d pad;
        pad.padding = {1, 2, 0, 1};
        check_lowered("cpu.gather", pad, {sizes});
    }
    check_lowered("cpu.elementwise", ops::Add{}, {{3, 1000}, {1000}});
    check_lowered("cpu.elementwise", ops::SiLU{}, {{1, 3, 100, 70}});
}

TEST_CASE("bf16: NaN and Inf stay where they are") {
    if (!has_bf16()) return;
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> values{std::nanf(""), infinity, -infinity};
    // What is not fused is rounded before it, too.
    constexpr double roundings = 0x1p-7;
    KernelCase(conv2d(16, 32, 1), {{1, 16, 5, 3}}, {{ops::ReLU{}, {}}}).run_lowered(values, roundings);
    KernelCase(conv2d(5, 7, 3, 1, 1), {{2, 5, 7, 9}}, {{ops::ReLU{}, {}}}).run_lowered(values, roundings);
    KernelCase(linear(33, 10), {{3, 33}}, {{ops::ReLU{}, {}}}).run_lowered(values, roundings);
    KernelCase(ops::ReLU{}, {{2, 17, 5, 5}}).run_lowered(values);
    ops::MaxPool2d largest;
    largest.kernel_size = 3;
    KernelCase(largest, {{2, 17, 9, 9}}).run_lowered(values);
}

namespace {

/// Inf in an eighth of what the layer reads, in every channel: whatever its kernels read beside what a window sees,
/// some of it is Inf.
void check_inf(const Op& op, const std::vector<Sizes>& inputs, const std::vector<PostOpCase>& epilogue = {}) {
    CAPTURE(inputs[0]);
    std::int64_t count = 1;
    for (const std::int64_t size : inputs[0]) count *= size;
    KernelCase example(op, inputs, epilogue);
    for (const int offset : {0, 3}) {
        std::vector<float> values;
        for (std::int64_t i = 0; i < count; ++i)
            values.push_back(i % 8 == offset ? std::numeric_limits<float>::infinity() : static_cast<float>(i % 5) - 2);
        example.run_lowered(values, 0x1p-7);
    }
}

}  // namespace

TEST_CASE("bf16: Inf reaches what sees it alone, whatever the number of channels") {
    if (!has_bf16()) return;
    for (const std::int64_t channels : {1, 2, 3, 4, 5, 7, 17, 33}) {
        CAPTURE(channels);
        for (const std::int64_t kernel : {1, 2, 3, 5}) {
            CAPTURE(kernel);
            check_inf(conv2d(channels, 9, kernel, 1, kernel / 2), {{2, channels, 9, 11}});
            check_inf(conv2d(channels, 16, kernel, 2), {{1, channels, 9, 11}}, {{ops::ReLU{}, {}}});
            ops::Conv1d line;
            line.in_channels = channels;
            line.out_channels = 8;
            line.kernel_size = kernel;
            check_inf(line, {{1, channels, 50}});
        }
        check_inf(conv2d(2 * channels, 6, 3, 1, 1, 2), {{1, 2 * channels, 8, 7}});
        check_inf(conv2d(channels, 5, 3, 1, 1), {{1, channels, 6, 7}}, {{ops::Add{}, {{1, 5, 6, 7}}}});
        ops::Conv3d solid;
        solid.in_channels = channels;
        solid.out_channels = 9;
        solid.kernel_size = 2;
        check_inf(solid, {{1, channels, 4, 5, 6}});
        ops::ConvTranspose2d up;
        up.in_channels = channels;
        up.out_channels = 9;
        up.kernel_size = 2;
        up.stride = 2;
        check_inf(up, {{2, channels, 5, 6}});
        check_inf(linear(channels, 10), {{9, channels}});
        check_inf(ops::MatMul{}, {{2, 7, channels}, {2, channels, 5}});
    }
}

TEST_CASE("bf16: a processor without products of bf16 says so") {
    const bool capped = cpu::machine_isa() < Isa::avx512;
    if (capped) CHECK(!has_bf16());
    if (!has_bf16()) CHECK(cpu_backend().lacks(MathMode::bf16).find("avx512_bf16") != std::string::npos);
}
