#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/fused_function.hpp"

using namespace seq;

TEST_CASE("SiLU of numbers far below zero is as good as zero, however large they are") {
    const Isa isa = cpu_backend().isa;
    if (isa == Isa::scalar) return;
    const std::vector<float> numbers{-3e38f,  -1e38f, -1e36f, -1e35f, -1e30f,  -1e20f, -1000.0f,
                                     -105.0f, -88.0f, -87.5f, -87.0f, -86.0f,  -20.0f, -1.0f,
                                     0.0f,    1.0f,   87.0f,  88.0f,  1000.0f, 1e30f,  3e38f};
    std::vector<float> values = numbers;
    cpu::find_row_function(Unary::silu, isa)(values.data(), 0, 1, static_cast<std::int64_t>(values.size()), nullptr);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const double x = numbers[i], expected = x / (1 + std::exp(-x));
        CAPTURE(x);
        CHECK(std::abs(values[i] - expected) <= 2e-6 * std::abs(expected) + 1e-34);
    }
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> lost{-infinity, std::numeric_limits<float>::quiet_NaN(), infinity};
    cpu::find_row_function(Unary::silu, isa)(lost.data(), 0, 1, 3, nullptr);
    CHECK(std::isnan(lost[0]));
    CHECK(std::isnan(lost[1]));
    CHECK(lost[2] == infinity);
}
