#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/conv_transpose.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/transposed/problem.hpp"
#include "tests/cpu/convolutions.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::KernelCase;

namespace {

struct Windows {
    IntList kernel, stride = 1, padding = 0, output_padding = 0, dilation = 1;
};

template <int N>
ops::ConvTranspose<N> conv(std::int64_t in, std::int64_t out, std::int64_t groups, const Windows& windows,
                           bool bias = true) {
    ops::ConvTranspose<N> conv;
    conv.in_channels = in;
    conv.out_channels = out;
    conv.groups = groups;
    conv.kernel_size = windows.kernel;
    conv.stride = windows.stride;
    conv.padding = windows.padding;
    conv.output_padding = windows.output_padding;
    conv.dilation = windows.dilation;
    conv.bias = bias;
    return conv;
}

void check_ran(const std::vector<std::string>& ran) { seq::test::check_ran(ran, "cpu.transposed"); }

const std::vector<cpu::transposed::Axis> axes{
    {7, 14, 4, 2, 1, 1}, {1, 4, 4, 1, 1, 0},  {9, 17, 3, 2, 1, 1},  {9, 18, 3, 2, 1, 1}, {5, 13, 3, 1, 4, 0},
    {6, 19, 3, 3, 2, 0}, {6, 22, 5, 4, 2, 3}, {4, 10, 2, 3, 1, 1},  {3, 4, 3, 3, 1, 3},  {1, 2, 3, 4, 1, 1},
    {8, 40, 5, 5, 1, 0}, {8, 50, 5, 5, 3, 0}, {4, 12, 16, 2, 1, 5}, {2, 3, 1, 2, 1, 0},  {5, 4, 2, 1, 9, 5},
};

}  // namespace

TEST_CASE(
    "transposed convolutions agree with the reference for any windows, groups, and channels that fill no vector") {
    struct Example {
        std::int64_t batch, in, out, groups, height, width;
        Windows windows;
        bool bias = true;
    };
    const std::vector<Example> examples{
        {1, 1, 1, 1, 3, 3, {3}},
        {2, 3, 5, 1, 9, 7, {3, 2, 1, 1}},
        {1, 17, 33, 1, 7, 7, {4, 2, 1}, false},
        {1, 64, 70, 1, 14, 13, {3, 1, 1}},
        {5, 5, 17, 1, 6, 5, {2, {2, 1}, {1, 0}}},
        {1, 40, 20, 1, 1, 1, {4}},
        {1, 33, 16, 1, 11, 9, {5, {3, 2}, {2, 1}, {2, 1}}},
        {2, 16, 31, 1, 11, 12, {{1, 5}, {1, 2}, {0, 2}}},
        {1, 9, 33, 1, 7, 6, {3, 1, 2, 0, 2}},
        {1, 9, 33, 1, 7, 6, {3, {2, 3}, 3, {1, 2}, {4, 6}}},
        {1, 7, 9, 1, 4, 5, {2, 3, 0, 2}},
        {1, 7, 9, 1, 4, 5, {2, 1, 5, 0, 9}},
        {1, 6, 5, 1, 1, 1, {3, 4, 1, 1}},
        {2, 20, 40, 1, 1, 90, {{1, 3}, {1, 2}, 0, 0, {1, 2}}},
        {1, 130, 70, 1, 19, 23, {4, 2, 1}},
        {2, 12, 18, 3, 7, 6, {3, 2, 1, 1}},
        {1, 34, 34, 2, 7, 9, {4, 2, 1}},
        {1, 40, 16, 8, 5, 9, {5, 3, 1, {2, 0}}, false},
        {1, 6, 120, 3, 6, 5, {2, 2}},
        {2, 6, 12, 6, 9, 5, {3, 2, 1}},
        {1, 64, 64, 64, 12, 11, {4, 2, 1}},
        {2, 19, 19, 19, 7, 21, {3, 2, 1, 1}},
        {2, 35, 35, 35, 9, 30, {3, 1, 1}, false},
        {1, 70, 70, 70, 6, 5, {5, {2, 3}, 2}},
        {1, 9, 9, 9, 4, 6, {{2, 9}, {5, 1}, {1, 0}, {2, 0}}},
        {1, 9, 9, 9, 6, 7, {3, 2, 1, 1, 2}},
        {1, 9, 9, 9, 6, 7, {3, 2, 1, 0, 3}},
        {1, 5, 5, 5, 2, 3, {3, 4, 2, 3}},
        {1, 6, 6, 6, 1, 1, {3, 4, 1, 1}},
        // Few outputs: all taps at once.
        {1, 64, 1, 1, 64, 64, {3, 1, 1}},
        {2, 56, 1, 1, 17, 19, {9, 3, 4, 2}},
        {1, 64, 3, 1, 33, 30, {4, 2, 1}},
        {3, 5, 2, 1, 7, 6, {3, {2, 1}, {1, 0}, {1, 0}}, false},
        {1, 19, 1, 1, 3, 200, {{5, 7}, {1, 5}, {0, 3}, {0, 4}, {2, 1}}},
        {1, 8, 1, 1, 9, 8, {2, 4, 1, 3}},
        {1, 12, 3, 1, 1, 1, {5, 1, 2}},
        {1, 6, 1, 1, 5, 300, {3, 7, 2, 6}},
    };
    for (const Example& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.out);
        CAPTURE(e.height);
        CAPTURE(e.width);
        KernelCase example(conv<2>(e.in, e.out, e.groups, e.windows, e.bias), {{e.batch, e.in, e.height, e.width}});
        check_ran(example.run_all());
    }
}

TEST_CASE("transposed convolutions of one dimension agree with the reference") {
    struct Example {
        std::int64_t batch, in, out, groups, length;
        Windows windows;
    };
    const std::vector<Example> examples{
        {1, 1, 32, 1, 400, {9, 4, 4}},     {2, 32, 33, 1, 401, {3, 2, 1, 1}},  {1, 19, 35, 1, 77, {16, 8, 4}},
        {1, 64, 64, 1, 1000, {4, 2, 1}},   {3, 5, 7, 1, 30, {5, 2, 0, 1, 3}},  {5, 17, 33, 1, 131, {5, 3, 7, 2}},
        {1, 6, 9, 3, 5, {4, 3, 1, 2}},     {1, 520, 33, 1, 40, {3, 1, 1}},     {1, 8, 8, 8, 900, {4, 2, 1}},
        {2, 130, 130, 130, 61, {3, 2, 1}}, {1, 16, 32, 16, 50, {4, 4}},        {1, 300, 700, 1, 11, {3, 2, 1}},
        {1, 40, 40, 40, 300, {7, 1, 3}},   {1, 4, 6, 2, 9, {3, 1, 12, 0, 16}}, {1, 32, 1, 1, 2000, {16, 8, 4}},
        {2, 14, 1, 1, 4001, {3, 2, 1, 1}}, {1, 9, 2, 1, 5, {8, 1, 5}},
    };
    for (const Example& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.length);
        check_ran(KernelCase(conv<1>(e.in, e.out, e.groups, e.windows), {{e.batch, e.in, e.length}}).run_all());
    }
}

TEST_CASE("transposed convolutions do residuals and activations, also of outputs that no tap reaches") {
    // The second has outputs of its bias alone.
    for (const Windows& windows : {Windows{4, 2, 1}, Windows{2, 3, 0, 2}}) {
        for (const std::int64_t groups : {1, 2, 38}) {
            CAPTURE(groups);
            const Op op = conv<2>(38, 38, groups, windows);
            const std::int64_t height = windows.stride.at(0) == 2 ? 10 : 16, width = height - windows.stride.at(1);
            const std::vector<std::int64_t> whole{2, 38, height, width};
            // Bounds of the size of the sums, since results are compared relative to the largest one.
            const std::vector<std::vector<KernelCase::PostOpCase>> epilogues{
                {{ops::Hardtanh{-3, 5}, {}}},
                {{ops::SiLU{}, {}}},
                {{ops::LeakyReLU{0.2}, {}}},
                {{ops::GELU{}, {}}},
                {{ops::Add{}, {whole}, 1}, {ops::ReLU{}, {}}},
                {{ops::Add{}, {whole}}, {ops::SiLU{}, {}}},
                {{ops::SiLU{}, {}}, {ops::Add{}, {whole}}},
                {{ops::Add{}, {whole, whole}}, {ops::ReLU{}, {}}},
                {{ops::Mul{}, {{38, 1, 1}}, 0, true}, {ops::ReLU{}, {}}},
            };
            for (const auto& epilogue : epilogues) {
                CAPTURE(epilogue.front().op.name());
                KernelCase example(op, {{2, 38, 5, 4}}, epilogue);
                example.expect_in_f64();
                check_ran(example.run_all());
            }
        }
    }
}

TEST_CASE("NaN and Inf go through transposed convolutions and their activations, where a window reaches them alone") {
    const float inf = std::numeric_limits<float>::infinity();
    const std::vector<float> values{std::numeric_limits<float>::quiet_NaN(), inf, -inf, 1e30f, -1e30f};
    for (const Op& activation : {Op(ops::ReLU{}), Op(ops::ReLU6{}), Op(ops::SiLU{}), Op(ops::Hardswish{})}) {
        CAPTURE(activation.name());
        KernelCase few(conv<2>(33, 1, 1, {3, 2, 1, 1}), {{2, 33, 9, 8}}, {{activation, {}}});
        check_ran(few.run_nonfinite(values));
        for (const std::int64_t groups : {1, 3, 33}) {
            CAPTURE(groups);
            KernelCase example(conv<2>(33, 33, groups, {3, 2, 1, 1}), {{2, 33, 9, 8}}, {{activation, {}}});
            check_ran(example.run_nonfinite(values));
            KernelCase line(conv<1>(33, 33, groups, {4, 2, 1}), {{2, 33, 90}}, {{activation, {}}});
            check_ran(line.run_nonfinite(values));
        }
    }
}

TEST_CASE("weights with Inf are refused where zeros beside a line would meet them") {
    if (cpu_backend().isa == Isa::scalar) return;
    const auto prepares = [](const Op& op, const std::vector<std::int64_t>& input) {
        Graph graph;
        const Node* node = test::add_case(graph, op, {input}, {}, {});
        test::MemoryWeights weights;
        for (std::size_t i = 1; i < node->inputs.size(); ++i) {
            const auto numbers = test::random_input(*node, i);
            if (i == 1) numbers->data<float>()[3] = std::numeric_limits<float>::infinity();
            weights.set(*node->inputs[i], numbers);
        }
        return test::refusal_of("cpu.transposed", *node, weights).empty();
    };
    CHECK(!prepares(conv<2>(6, 5, 1, {3, 2, 1, 1}), {1, 6, 4, 5}));
    CHECK(!prepares(conv<1>(6, 4, 2, {4, 2, 1}), {1, 6, 9}));
    CHECK(prepares(conv<2>(6, 4, 2, {2, 2}), {1, 6, 4, 5}));        // side by side
    CHECK(prepares(conv<2>(6, 6, 6, {3, 2, 1, 1}), {1, 6, 4, 5}));  // depthwise: nothing stands for padding
}

TEST_CASE("the phases of outputs have each tap of each output once, where it reads") {
    using namespace cpu::transposed;
    for (const Axis& axis : axes) {
        CAPTURE(axis.in);
        CAPTURE(axis.out);
        std::set<std::pair<std::int64_t, std::int64_t>> found;
        std::int64_t taps = 0;
        for (const Phase& phase : phases_of(axis)) {
            CHECK(phase.first_tap == taps);
            taps += phase.tap_count();
            CHECK(phase.tap_count() <= axis.most_taps());
            CHECK(std::is_sorted(phase.inputs.begin(), phase.inputs.end()));
            const Range steps = phase.steps_in({0, axis.out}, axis.stride);
            for (std::int64_t step = steps.first; step < steps.end; ++step) {
                const std::int64_t output = phase.position + step * axis.stride;
                const Range inside = phase.taps_inside(step, axis.in);
                for (std::int64_t i = 0; i < phase.tap_count(); ++i) {
                    const std::int64_t tap = phase.taps[static_cast<std::size_t>(i)];
                    const std::int64_t input = phase.inputs[static_cast<std::size_t>(i)] + step;
                    CHECK(input * axis.stride + tap * axis.dilation - axis.pad == output);
                    CHECK((input >= 0 && input < axis.in) == (i >= inside.first && i < inside.end));
                    CHECK(found.emplace(output, tap).second);
                    for (std::int64_t first = 0; first <= output; ++first) {
                        for (std::int64_t end = output + 1; end <= axis.out; ++end) {
                            const Range read = axis.inputs_of({first, end});
                            CHECK(read.first <= input);
                            CHECK(input < read.end);
                            CHECK(read.count() <= axis.span(end - first));
                        }
                    }
                }
                if (axis.side_by_side() && phase.tap_count() > 1)
                    CHECK(phase.inputs.back() - phase.inputs.front() == phase.tap_count() - 1);
            }
        }
        std::size_t expected = 0;
        for (std::int64_t output = 0; output < axis.out; ++output) {
            for (std::int64_t tap = 0; tap < axis.kernel; ++tap)
                expected += (output + axis.pad - tap * axis.dilation) % axis.stride == 0 ? 1 : 0;
        }
        CHECK(found.size() == expected);
    }
}

TEST_CASE("a transposed convolution cut into tasks fits the caches and takes every output once") {
    using namespace cpu::transposed;
    for (const Axis& columns : axes) {
        for (const Axis& lines : {columns, Axis{}, Axis{200, 400, 4, 2, 1, 1}}) {
            for (const std::int64_t channels : {1, 3, 64, 512, 1100}) {
                for (const int threads : {1, 2, 3, 64}) {
                    Problem p{3, channels, 2 * channels, 1, lines, columns, 16};
                    if (channels == 3) p.groups = p.out_channels = 3;
                    cut_into_tasks(p, threads);
                    CAPTURE(columns.in);
                    CAPTURE(lines.in);
                    CAPTURE(channels);
                    CAPTURE(threads);
                    CHECK(p.line_blocks() * p.block_lines >= lines.out);
                    CHECK((p.line_blocks() - 1) * p.block_lines < lines.out);
                    CHECK(p.column_blocks() * p.block_columns >= columns.out);
                    CHECK((p.column_blocks() - 1) * p.block_columns < columns.out);
                    CHECK(p.panel_parts() * p.task_panels >= p.panels());
                    CHECK((p.panel_parts() - 1) * p.task_panels < p.panels());
                    CHECK((p.copy_floats() <= 1 << 18 || p.block_lines <= lines.stride));
                }
            }
        }
    }
}
