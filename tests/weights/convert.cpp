#include "graph/convert.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "frontend/weights/parameter.hpp"
#include "frontend/weights/random_weights.hpp"
#include "frontend/weights/safetensors.hpp"
#include "tests/weights/support.hpp"

namespace seq::test {
namespace {

/// What a 16-bit float with this many bits of exponent and mantissa stands for, by its definition.
double value_of(unsigned bits, int exponent_bits, int mantissa_bits) {
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const auto exponent = static_cast<int>(bits >> mantissa_bits & ((1u << exponent_bits) - 1));
    const auto mantissa = static_cast<double>(bits & ((1u << mantissa_bits) - 1));
    const double sign = (bits & 0x8000u) != 0 ? -1 : 1;
    if (exponent == (1 << exponent_bits) - 1)
        return mantissa != 0 ? std::nan("") : sign * std::numeric_limits<double>::infinity();
    const double significand = mantissa * std::ldexp(1.0, -mantissa_bits) + (exponent == 0 ? 0 : 1);
    return sign * std::ldexp(significand, std::max(exponent, 1) - bias);
}

struct Format {
    int exponent_bits;
    int mantissa_bits;
    float (*widen)(std::uint16_t);
    std::uint16_t (*narrow)(float);
    std::uint16_t (*narrow_double)(double);
};
const Format half{5, 10, f16_to_f32, f32_to_f16, f64_to_f16};
const Format brain{8, 7, bf16_to_f32, f32_to_bf16, f64_to_bf16};

TEST_CASE("convert: every 16-bit value widens exactly and comes back") {
    for (const Format& format : {half, brain}) {
        for (unsigned bits = 0; bits < 0x10000; ++bits) {
            const auto narrow = static_cast<std::uint16_t>(bits);
            const double expected = value_of(bits, format.exponent_bits, format.mantissa_bits);
            const float widened = format.widen(narrow);
            if (std::isnan(expected)) {
                REQUIRE(std::isnan(widened));
                REQUIRE(std::isnan(format.widen(format.narrow(widened))));
                REQUIRE((format.narrow(widened) & 0x8000u) == (bits & 0x8000u));
                REQUIRE(std::isnan(format.widen(format.narrow_double(std::nan("")))));
                continue;
            }
            REQUIRE(static_cast<double>(widened) == expected);
            REQUIRE(std::signbit(widened) == (bits >> 15 != 0));
            REQUIRE(format.narrow(widened) == narrow);
            REQUIRE(format.narrow_double(expected) == narrow);
        }
    }
}

TEST_CASE("convert: between two neighbours the nearest is taken, at the middle the even one") {
    for (const Format& format : {half, brain}) {
        const unsigned infinity = ((1u << format.exponent_bits) - 1) << format.mantissa_bits;
        for (unsigned bits = 0; bits < infinity; ++bits) {
            const double low = value_of(bits, format.exponent_bits, format.mantissa_bits);
            const double step = bits + 1 == infinity
                                    ? low - value_of(bits - 1, format.exponent_bits, format.mantissa_bits)
                                    : value_of(bits + 1, format.exponent_bits, format.mantissa_bits) - low;
            const double middle = low + step / 2;
            const auto even = static_cast<std::uint16_t>(bits + (bits & 1u));
            REQUIRE(format.narrow(static_cast<float>(middle)) == even);
            REQUIRE(format.narrow(std::nextafter(static_cast<float>(middle), 0.0F)) == bits);
            REQUIRE(format.narrow(std::nextafter(static_cast<float>(middle), std::numeric_limits<float>::infinity())) ==
                    bits + 1);
            REQUIRE(format.narrow_double(middle) == even);
            // Nearer to the middle than any f32: rounding twice would go wrong.
            REQUIRE(format.narrow_double(std::nextafter(middle, 0.0)) == bits);
            REQUIRE(format.narrow_double(std::nextafter(middle, 1e300)) == bits + 1);
            REQUIRE(format.narrow_double(-std::nextafter(middle, 0.0)) == (bits | 0x8000u));
        }
        CHECK(format.narrow(std::numeric_limits<float>::max()) == infinity);
        CHECK(format.narrow_double(1e300) == infinity);
        CHECK(format.narrow_double(-1e300) == (infinity | 0x8000u));
        CHECK(format.narrow_double(1e-300) == 0);
        CHECK(format.narrow_double(-1e-300) == 0x8000);
    }
}

TEST_CASE("convert: between all float dtypes") {
    const std::vector<DType> dtypes{DType::f32, DType::bf16, DType::f16, DType::f64};
    const std::vector<double> values{0, -1.5, 2, 0.25, 96, -0.0078125, 1, 3};
    for (const DType from : dtypes) {
        for (const DType to : dtypes) {
            Tensor source(from, {8});
            Tensor target(to, {8});
            convert_floats(values.data(), DType::f64, source.view().data, from, values.size());
            convert_floats(source.view().data, from, target.view().data, to, values.size());
            CHECK(values_of(target) == values);
        }
    }
}

TEST_CASE("parameters: read with their conversions, in pieces") {
    constexpr std::size_t count = 300'001;
    std::mt19937 random(1);
    std::string data;
    std::vector<double> values;
    for (std::size_t i = 0; i < count; ++i) {
        const auto bits = static_cast<std::uint16_t>(random() % 0x7c00);
        data += little_endian(bits, 2);
        values.push_back(static_cast<double>(f16_to_f32(bits)));
    }
    const std::string size = std::to_string(count);
    const SafetensorsFile file(in_memory(safetensors(
        R"({"a":{"dtype":"F16","shape":[)" + size + R"(],"data_offsets":[0,)" + std::to_string(2 * count) + "]}}",
        data)));
    for (const DType dtype : {DType::f16, DType::f32, DType::f64}) {
        Tensor tensor(dtype, {static_cast<std::int64_t>(count)});
        read_parameter(file, file.entries()[0], dtype, {tensor.view().as<std::byte>(), tensor.byte_count()});
        CHECK(values_of(tensor) == values);
    }
    std::vector<std::byte> small(8);
    CHECK_THROWS_AS(read_parameter(file, file.entries()[0], DType::f32, small), std::invalid_argument);
    std::vector<std::byte> integers(count * 8);
    CHECK(refusal_of([&] { read_parameter(file, file.entries()[0], DType::i64, integers); }).code == "weights/dtype");
}

std::vector<NeededParameter> some_parameters() {
    const auto parameter = [](const char* name, Shape shape) {
        return NeededParameter{name, {DType::f32, std::move(shape)}, "", "", {}};
    };
    return {parameter("conv.weight", {64, 32, 3, 3}), parameter("conv.bias", {64}),
            parameter("norm.weight", {1000}),         parameter("norm.bias", {1000}),
            parameter("norm.running_mean", {1000}),   parameter("norm.running_var", {1000})};
}

TEST_CASE("random weights: the same for a seed and a name, on every machine") {
    std::vector<NeededParameter> needed = some_parameters();
    const auto first = random_weights(needed, 7);
    const std::vector<double> weight = read_values(*first, "conv.weight");
    CHECK(weight[0] == doctest::Approx(0.021142504));
    CHECK(weight[18'431] == doctest::Approx(-0.063019592));
    std::swap(needed[0], needed[3]);
    CHECK(read_values(*random_weights(needed, 7), "conv.weight") == weight);
    CHECK(read_values(*random_weights(needed, 8), "conv.weight") != weight);
    CHECK(read_values(*first, "norm.bias") != read_values(*first, "norm.running_mean"));
    CHECK(first->find("none") == nullptr);
}

TEST_CASE("random weights: spread as a network needs") {
    const auto source = random_weights(some_parameters(), 1);
    double sum = 0;
    double squares = 0;
    const std::vector<double> weight = read_values(*source, "conv.weight");
    for (const double value : weight) {
        sum += value;
        squares += value * value;
    }
    const auto count = static_cast<double>(weight.size());
    CHECK(std::fabs(sum / count) < 0.003);
    CHECK(squares / count == doctest::Approx(2.0 / (32 * 9)).epsilon(0.03));
    for (const double value : read_values(*source, "norm.running_var")) REQUIRE((value >= 0.5 && value <= 1.5));
    for (const double value : read_values(*source, "norm.weight")) REQUIRE((value >= 0.875 && value <= 1.125));
    for (const double value : read_values(*source, "conv.bias")) REQUIRE(std::fabs(value) <= 0.125);
}

TEST_CASE("random weights: a parameter without a static type is refused") {
    std::vector<NeededParameter> needed = some_parameters();
    needed[1].type.shape = {Dim("N")};
    CHECK(refusal_of([&] { random_weights(needed, 1); }).code == "weights/missing");
}

}  // namespace
}  // namespace seq::test
