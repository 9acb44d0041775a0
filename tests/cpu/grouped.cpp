#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "kernels/cpu/grouped/problem.hpp"
#include "tests/cpu/convolutions.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::KernelCase;
using seq::test::Windows;

namespace {

/// `in` and `out`: of a group.
template <int N>
ops::Conv<N> conv(std::int64_t groups, std::int64_t in, std::int64_t out, const Windows& windows, bool bias = true) {
    ops::Conv<N> conv = seq::test::conv<N>(groups * in, groups * out, windows, bias);
    conv.groups = groups;
    return conv;
}

void check_ran(const std::vector<std::string>& ran, const char* kernel = "cpu.grouped", bool does = true) {
    seq::test::check_ran(ran, kernel, does);
}

}  // namespace

TEST_CASE("convolutions in groups agree with the reference for odd sizes, strides and channels that fill no vector") {
    struct Example {
        std::int64_t batch, groups, in, out, height, width;
        Windows windows;
        bool bias = true;
        bool grouped = true;  ///< whether windows are such as cpu.grouped takes
    };
    const std::vector<Example> examples{
        {1, 4, 4, 4, 7, 9, {3, 1, 1}},
        {2, 8, 4, 4, 12, 31, {3, 2, 1}, false},
        {1, 6, 4, 4, 5, 5, {3, 1, 1}},
        {1, 5, 4, 4, 5, 6, {3, 1, 1}},
        {1, 32, 4, 4, 28, 28, {3, 1, 1}},
        {1, 4, 4, 8, 9, 9, {3, 1, 1}},
        {3, 5, 8, 8, 14, 14, {3, 1, 1}},
        {1, 26, 8, 8, 15, 13, {3, 2, 1}},
        {1, 3, 16, 16, 11, 23, {3, 1, 1}},
        {2, 2, 24, 24, 9, 10, {3, 2, 1}},
        {1, 7, 3, 5, 8, 45, {3, 1, 1}, false},
        {1, 2, 13, 33, 10, 11, {3, 1, {0, 2}}},
        {1, 3, 2, 1, 6, 7, {3, 2, 0}},
        {2, 3, 5, 17, 9, 8, {{5, 3}, {3, 2}, {2, 1}}},
        {1, 2, 9, 9, 12, 7, {{2, 3}, {1, 2}, {0, 4}, {4, 1}}},
        {1, 4, 8, 8, 1, 1, {3, 1, 1}},
        {1, 2, 6, 6, 3, 300, {{1, 3}, 1, {0, 1}}},
        {1, 64, 32, 32, 7, 7, {3, 1, 1}},
        {2, 3, 8, 8, 9, 9, {5, 1, 2}, true, false},
        {1, 4, 12, 6, 9, 9, {3, {1, 3}, 1}, true, false},
        {1, 4, 12, 20, 9, 9, {3, 1, 2, 2}, true, false},
        {1, 3, 7, 40, 5, 6, {1}, true, false},
        {1, 2, 40, 70, 6, 7, {{4, 2}, {2, 1}, {1, 0}}, false, false},
    };
    for (const Example& e : examples) {
        CAPTURE(e.groups);
        CAPTURE(e.in);
        CAPTURE(e.out);
        CAPTURE(e.width);
        KernelCase example(conv<2>(e.groups, e.in, e.out, e.windows, e.bias),
                           {{e.batch, e.groups * e.in, e.height, e.width}});
        const auto ran = example.run_all();
        check_ran(ran, "cpu.grouped", e.grouped);
        check_ran(ran, "cpu.direct");
    }
}

TEST_CASE("convolutions in groups of one dimension agree with the reference") {
    for (const std::int64_t length : {1, 9, 40, 2001}) {
        CAPTURE(length);
        check_ran(KernelCase(conv<1>(4, 4, 4, {3, 1, 1}), {{2, 16, length}}).run_all());
        check_ran(KernelCase(conv<1>(3, 6, 10, {3, 2, 2}), {{1, 18, length}}).run_all());
        check_ran(KernelCase(conv<1>(3, 6, 10, {4, 1, 3, 2}), {{1, 18, length}}).run_all(), "cpu.direct");
    }
}

TEST_CASE("convolutions in groups do residuals and activations") {
    for (const std::int64_t size : {4, 8, 11}) {
        CAPTURE(size);
        const std::vector<std::int64_t> whole{2, 6 * size, 5, 4};
        const std::vector<std::vector<KernelCase::PostOpCase>> epilogues{
            {{ops::Hardtanh{-15, 30}, {}}},
            {{ops::SiLU{}, {}}},
            {{ops::GELU{}, {}}},
            {{ops::Add{}, {whole}, 1}, {ops::ReLU{}, {}}},
            {{ops::Add{}, {whole}}, {ops::SiLU{}, {}}},
            {{ops::SiLU{}, {}}, {ops::Add{}, {whole}}},
            {{ops::Mul{}, {{6 * size, 1, 1}}, 0, true}, {ops::ReLU{}, {}}},
        };
        for (const auto& epilogue : epilogues) {
            CAPTURE(epilogue.front().op.name());
            KernelCase example(conv<2>(6, size, size, {3, 2, 1}), {{2, 6 * size, 9, 7}}, epilogue);
            example.expect_in_f64();
            const auto ran = example.run_all();
            check_ran(ran);
            check_ran(ran, "cpu.direct");
        }
    }
}

TEST_CASE("NaN and Inf stay in their group") {
    const float inf = std::numeric_limits<float>::infinity();
    const std::vector<float> values{std::numeric_limits<float>::quiet_NaN(), inf, -inf, 1e30f, -1e30f};
    for (const std::int64_t size : {3, 4, 8}) {
        CAPTURE(size);
        KernelCase example(conv<2>(8, size, size, {3, 1, 1}), {{1, 8 * size, 6, 7}}, {{ops::ReLU{}, {}}});
        check_ran(example.run_nonfinite(values));
    }
}

TEST_CASE("a convolution in groups cut into tasks computes every window of every group once") {
    using namespace cpu::grouped;
    for (const cpu::WindowAxis& axis :
         std::vector<cpu::WindowAxis>{{7, 7, 3, 1, 1, 1}, {56, 28, 3, 2, 1, 1}, {224, 224, 3, 1, 1, 1}}) {
        for (const int threads : {1, 2, 3, 64}) {
            for (const std::int64_t size : {4, 8, 40}) {
                Problem p{2, 12, size, size, axis, axis, 8, size == 4};
                cut_into_tasks(p, threads);
                CAPTURE(axis.in);
                CAPTURE(threads);
                CAPTURE(size);
                std::vector<int> times(static_cast<std::size_t>(p.batch * axis.out * axis.out * p.units()));
                for (std::int64_t task = 0; task < p.tasks(); ++task) {
                    const Part part = p.part(task);
                    for (std::int64_t i = 0; i < part.lines * part.columns * part.units; ++i) {
                        const std::int64_t unit = part.first_unit + i % part.units, window = i / part.units;
                        const std::int64_t line = part.first_line + window / part.columns;
                        const std::int64_t column = part.first_column + window % part.columns;
                        const std::int64_t picture_line = part.picture * axis.out + line;
                        ++times.at(static_cast<std::size_t>((picture_line * axis.out + column) * p.units() + unit));
                    }
                }
                CHECK(std::all_of(times.begin(), times.end(), [](int count) { return count == 1; }));
                if (threads > 1) CHECK(p.tasks() > 1);
            }
        }
    }
}
