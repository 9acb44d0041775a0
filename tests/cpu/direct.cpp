#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "kernels/cpu/direct/problem.hpp"
#include "tests/cpu/convolutions.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::conv;
using seq::test::KernelCase;
using seq::test::Windows;

namespace {

void check_ran(const std::vector<std::string>& ran) { seq::test::check_ran(ran, "cpu.direct"); }

}  // namespace

TEST_CASE("direct convolutions agree with the reference for odd sizes, windows and channels that fill no vector") {
    const std::vector<seq::test::ConvExample> examples{
        {1, 1, 1, 3, 3, {3}},
        {2, 3, 5, 9, 7, {3, 1, 1}},
        {1, 17, 33, 7, 7, {3, 1, 1}, false},
        {1, 64, 70, 14, 13, {3, 2, 1}},
        {5, 5, 17, 6, 5, {2, {2, 1}, {1, 0}}},
        {1, 3, 35, 33, 31, {7, 2, 3}},
        {1, 33, 16, 21, 19, {5, {3, 2}, {2, 4}}},
        {2, 16, 31, 11, 12, {{1, 5}, 1, {0, 2}}},
        {1, 20, 48, 12, 11, {{7, 1}, {2, 1}, {3, 0}}},
        {1, 9, 33, 17, 16, {3, 1, 2, 2}},
        {1, 9, 33, 17, 16, {3, {2, 3}, {4, 6}, {4, 6}}},
        {2, 7, 9, 4, 5, {3, 1, 5}},
        {1, 7, 9, 4, 5, {2, 3, 7, 3}},
        {1, 600, 40, 5, 6, {3, 1, 1}},
        {1, 1100, 33, 3, 3, {2, 1, 1}},
        {1, 130, 200, 29, 31, {3, 1, 1}},
        {1, 12, 20, 5, 300, {3, 1, 1}},
        {3, 4, 6, 3, 3, {1, 2, 1}},
        {2, 20, 40, 1, 90, {{1, 3}, 1, {0, 2}, {1, 2}}},
        {2, 20, 40, 90, 1, {{5, 1}, {2, 1}, {3, 0}}},
    };
    seq::test::check_examples(examples, "cpu.direct");
}

TEST_CASE("direct convolutions of one dimension agree with the reference") {
    struct Example {
        std::int64_t batch, in, out, length;
        Windows windows;
    };
    const std::vector<Example> examples{
        {1, 1, 32, 400, {9, 4, 4}},      {2, 32, 33, 401, {3, 1, 1}}, {1, 19, 35, 77, {3, 1, 8, 8}},
        {1, 64, 64, 1000, {3, 1, 4, 4}}, {3, 5, 7, 30, {5, 2, 0, 3}}, {1, 33, 65, 2000, {9, 4, 4}},
        {1, 6, 9, 5, {4, 3, 9, 2}},      {1, 520, 33, 40, {3, 1, 1}}, {5, 17, 33, 131, {5, 3, 7, 2}},
        {2, 3, 70, 61, {4, 2, 3}},       {1, 33, 16, 9, {3, 1, 12}},  {2, 16, 5, 40, {3, 1, 8, 16}},
        {1, 1024, 33, 37, {3, 1, 1}},    {3, 512, 17, 23, {3, 2, 1}}, {1, 5, 100, 64, {7, 1, 3}},
        {1, 256, 700, 11, {3, 1, 1}},
    };
    for (const Example& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.length);
        check_ran(KernelCase(conv<1>(e.in, e.out, e.windows), {{e.batch, e.in, e.length}}).run_all());
    }
    ops::Conv1d even = conv<1>(8, 9, {4});
    even.padding = Padding{"same"};
    check_ran(KernelCase(even, {{2, 8, 21}}).run_all());
}

TEST_CASE("direct convolutions do residuals and activations, also where sums wait between chunks") {
    const std::vector<std::int64_t> whole{2, 37, 5, 4};
    // Bounds of the size of the sums, since results are compared relative to the largest one.
    const std::vector<std::vector<KernelCase::PostOpCase>> epilogues{
        {{ops::Hardtanh{-15, 30}, {}}},
        {{ops::SiLU{}, {}}},
        {{ops::LeakyReLU{0.2}, {}}},
        {{ops::GELU{}, {}}},
        {{ops::Add{}, {whole}, 1}, {ops::ReLU{}, {}}},
        {{ops::Add{}, {whole}}, {ops::SiLU{}, {}}},
        {{ops::SiLU{}, {}}, {ops::Add{}, {whole}}},
        {{ops::Add{}, {whole, whole}}, {ops::ReLU{}, {}}},
        {{ops::Mul{}, {{37, 1, 1}}, 0, true}, {ops::ReLU{}, {}}},
    };
    for (const std::int64_t channels : {9, 60, 120}) {
        CAPTURE(channels);
        for (const auto& epilogue : epilogues) {
            CAPTURE(epilogue.front().op.name());
            KernelCase example(conv<2>(channels, 37, {3, 2, 1}), {{2, channels, 9, 7}}, epilogue);
            example.expect_in_f64();
            check_ran(example.run_all());
        }
    }
}

TEST_CASE("NaN and Inf go through direct convolutions and their activations") {
    const float inf = std::numeric_limits<float>::infinity();
    for (const Op& activation : {Op(ops::ReLU{}), Op(ops::ReLU6{}), Op(ops::SiLU{}), Op(ops::Hardswish{})}) {
        CAPTURE(activation.name());
        const std::vector<float> values{std::numeric_limits<float>::quiet_NaN(), inf, -inf, 1e30f, -1e30f};
        KernelCase example(conv<2>(1, 35, {3, 2, 1}), {{2, 1, 9, 8}}, {{activation, {}}});
        check_ran(example.run_nonfinite(values));
        KernelCase line(conv<1>(5, 35, {3, 1, 2, 2}), {{2, 5, 90}}, {{activation, {}}});
        check_ran(line.run_nonfinite(values));
    }
}

TEST_CASE("a direct convolution cut into tasks fits the caches and takes every line, tap and channel once") {
    using namespace cpu::direct;
    for (const Axis& lines : {Axis{7, 7, 3, 1, 1, 1}, Axis{56, 28, 3, 2, 1, 1}, Axis{224, 112, 7, 2, 1, 3},
                              Axis{40, 40, 3, 1, 8, 8}, Axis{9, 2, 3, 5, 2, 3}, Axis{2, 2, 1, 1, 1, 0}}) {
        for (const std::int64_t channels : {1, 3, 64, 512, 1100}) {
            for (const int threads : {1, 2, 3, 64}) {
                for (const std::int64_t batch : {1, 5}) {
                    Problem p{batch, channels, 2 * channels, lines, lines, 16};
                    cut_into_tasks(p, threads);
                    CAPTURE(lines.in);
                    CAPTURE(channels);
                    CAPTURE(threads);
                    CHECK(p.picture_blocks() * p.block_lines >= lines.out);
                    CHECK((p.picture_blocks() - 1) * p.block_lines < lines.out);
                    CHECK(p.column_parts() * p.task_panels >= p.panels());
                    CHECK((p.column_parts() - 1) * p.task_panels < p.panels());
                    std::set<std::pair<std::int64_t, std::int64_t>> taken;
                    for (const Chunk& chunk : p.chunks()) {
                        for (std::int64_t tap = 0; tap < chunk.taps; ++tap) {
                            for (std::int64_t c = 0; c < chunk.channels; ++c)
                                CHECK(taken.emplace(chunk.first_tap + tap, chunk.first_channel + c).second);
                        }
                    }
                    CHECK(static_cast<std::int64_t>(taken.size()) == p.taps() * channels);
                }
            }
        }
    }
}

TEST_CASE("inner windows are those whose taps all lie in the input") {
    using namespace cpu::direct;
    for (const Axis& axis : {Axis{7, 7, 3, 1, 1, 1}, Axis{56, 28, 3, 2, 1, 1}, Axis{224, 112, 7, 2, 1, 3},
                             Axis{40, 40, 3, 1, 8, 8}, Axis{9, 2, 3, 5, 2, 3}, Axis{5, 21, 4, 1, 1, 9},
                             Axis{5, 17, 5, 1, 2, 10}, Axis{2, 2, 1, 1, 1, 0}, Axis{3, 1, 3, 1, 1, 0}}) {
        CAPTURE(axis.in);
        const Range inner = axis.inner();
        CHECK(0 <= inner.first);
        CHECK(inner.first <= inner.end);
        CHECK(inner.end <= axis.out);
        for (std::int64_t window = 0; window < axis.out; ++window) {
            const bool touches = axis.input_of(window, 0) < 0 || axis.input_of(window, axis.kernel - 1) >= axis.in;
            CHECK(touches == (window < inner.first || window >= inner.end));
        }
    }
}

TEST_CASE("lines of one pixel are read in place unless most touch padding, many panels share them or rows collide") {
    using namespace cpu::direct;
    const auto problem = [](std::int64_t channels, const Axis& lines, std::int64_t out_channels = 64) {
        Problem p{2, channels, out_channels, lines, {}, 16};
        cut_into_tasks(p, 2);
        return p;
    };
    const Problem dilated = problem(32, {4000, 4000, 3, 1, 8, 8});
    CHECK(dilated.in_place());
    CHECK(dilated.copy_lines() == 8);
    CHECK(problem(32, {4000, 3998, 3, 1, 1, 0}).copy_floats() == 0);
    CHECK(problem(32, {4000, 4000, 3, 1, 1, 1}).copy_lines() == 4);
    CHECK(!problem(32, {8, 8, 3, 1, 8, 8}).in_place());
    CHECK(!problem(1024, {400, 400, 3, 1, 1, 1}).in_place());
    CHECK(!problem(512, {400, 200, 3, 2, 1, 1}).in_place());
    CHECK(!problem(32, {4000, 4000, 3, 1, 8, 8}, 512).in_place());
    CHECK(!Problem{1, 8, 8, {9, 9, 3, 1, 1, 1}, {9, 9, 3, 1, 1, 1}, 16}.in_place());
}

TEST_CASE("copied lines have those of every tap of every window") {
    using namespace cpu::direct;
    for (const Axis& axis : {Axis{7, 7, 3, 1, 1, 1}, Axis{56, 28, 3, 2, 1, 1}, Axis{224, 112, 7, 2, 1, 3},
                             Axis{40, 40, 3, 1, 8, 8}, Axis{9, 2, 3, 5, 2, 3}, Axis{30, 9, 4, 3, 6, 2}}) {
        for (const std::int64_t windows : {1, 2, 7}) {
            const CopiedLines copied = copied_lines(axis, windows);
            std::vector<std::int64_t> lines(static_cast<std::size_t>(copied.slots), -1);
            for (const LineRun& run : copied.runs) {
                for (std::int64_t i = 0; i < run.count; ++i)
                    lines.at(static_cast<std::size_t>(run.slot + i)) = run.first + i * axis.stride;
            }
            for (std::int64_t window = 0; window < windows; ++window) {
                for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
                    const std::int64_t slot = copied.tap_slots.at(static_cast<std::size_t>(tap)) + window;
                    CHECK(lines.at(static_cast<std::size_t>(slot)) == window * axis.stride + tap * axis.dilation);
                }
            }
        }
    }
}
