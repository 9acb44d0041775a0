#include "graph/convert.hpp"

#include <bit>
#include <cmath>
#include <cstring>

namespace seq {
namespace {

constexpr std::uint32_t f32_sign = 0x80000000u;
constexpr std::uint32_t f32_infinity = 0x7f800000u;

/// To f32 rounded to odd: with two bits to spare, rounding the result again to the nearest is rounding once.
/// (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008.)
float f64_to_f32_odd(double value) {
    const auto nearest = static_cast<float>(value);
    if (!std::isfinite(value) || static_cast<double>(nearest) == value) return nearest;
    std::uint32_t bits = std::bit_cast<std::uint32_t>(nearest);
    const bool away = std::fabs(static_cast<double>(nearest)) > std::fabs(value);
    if (away) --bits;
    return std::bit_cast<float>(bits | 1u);
}

/// An f32 magnitude below 2^-14 as f16 bits: a multiple of 2^-24.
std::uint32_t subnormal_f16(std::uint32_t magnitude) {
    const std::uint32_t exponent = magnitude >> 23;
    if (exponent < 102) return 0;
    const std::uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
    const std::uint32_t shift = 126 - exponent;
    const std::uint32_t result = mantissa >> shift;
    const std::uint32_t rest = mantissa & ((1u << shift) - 1);
    const std::uint32_t half = 1u << (shift - 1);
    return result + (rest > half || (rest == half && (result & 1u) != 0) ? 1u : 0u);
}

struct Half {
    std::uint16_t bits;
};
struct Brain {
    std::uint16_t bits;
};

template <class To, class From>
To converted(From value) {
    constexpr bool from_double = std::is_same_v<From, double>;
    if constexpr (std::is_same_v<From, Half>) {
        return converted<To>(f16_to_f32(value.bits));
    } else if constexpr (std::is_same_v<From, Brain>) {
        return converted<To>(bf16_to_f32(value.bits));
    } else if constexpr (std::is_same_v<To, Half>) {
        return {from_double ? f64_to_f16(static_cast<double>(value)) : f32_to_f16(static_cast<float>(value))};
    } else if constexpr (std::is_same_v<To, Brain>) {
        return {from_double ? f64_to_bf16(static_cast<double>(value)) : f32_to_bf16(static_cast<float>(value))};
    } else {
        return static_cast<To>(value);
    }
}

template <class To, class From>
void convert_all(const void* from, void* to, std::size_t count) {
    const auto* source = static_cast<const std::byte*>(from);
    auto* target = static_cast<std::byte*>(to);
    for (std::size_t i = 0; i < count; ++i) {
        From value;
        std::memcpy(&value, source + i * sizeof(From), sizeof(From));
        const To result = converted<To>(value);
        std::memcpy(target + i * sizeof(To), &result, sizeof(To));
    }
}

template <class From>
void convert_from(const void* from, void* to, DType to_dtype, std::size_t count) {
    switch (to_dtype) {
        case DType::f16: return convert_all<Half, From>(from, to, count);
        case DType::bf16: return convert_all<Brain, From>(from, to, count);
        case DType::f64: return convert_all<double, From>(from, to, count);
        default: return convert_all<float, From>(from, to, count);
    }
}

}  // namespace

float f16_to_f32(std::uint16_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    const std::uint32_t exponent = (bits >> 10) & 0x1fu;
    const std::uint32_t mantissa = bits & 0x3ffu;
    if (exponent == 0x1f) return std::bit_cast<float>(sign | f32_infinity | (mantissa << 13));
    if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

std::uint16_t f32_to_f16(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t magnitude = bits & ~f32_sign;
    const std::uint32_t sign = (bits & f32_sign) >> 16;
    std::uint32_t result = 0;
    if (magnitude > f32_infinity) {
        result = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
    } else if (magnitude >= 0x477ff000u) {  // 65520, from where on the nearest is infinity
        result = 0x7c00u;
    } else if (magnitude < 0x38800000u) {
        result = subnormal_f16(magnitude);
    } else {
        result = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
    }
    return static_cast<std::uint16_t>(sign | result);
}

float bf16_to_f32(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t f32_to_bf16(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & ~f32_sign) > f32_infinity) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
    return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

std::uint16_t f64_to_f16(double value) { return f32_to_f16(f64_to_f32_odd(value)); }

std::uint16_t f64_to_bf16(double value) { return f32_to_bf16(f64_to_f32_odd(value)); }

void convert_floats(const void* from, DType from_dtype, void* to, DType to_dtype, std::size_t count) {
    if (from_dtype == to_dtype) {
        if (count != 0) std::memmove(to, from, count * size_of(to_dtype));
        return;
    }
    switch (from_dtype) {
        case DType::f16: return convert_from<Half>(from, to, to_dtype, count);
        case DType::bf16: return convert_from<Brain>(from, to, to_dtype, count);
        case DType::f64: return convert_from<double>(from, to, to_dtype, count);
        default: return convert_from<float>(from, to, to_dtype, count);
    }
}

}  // namespace seq
