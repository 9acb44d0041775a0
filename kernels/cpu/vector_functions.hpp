#pragma once

#include <iterator>
#include <utility>

#include "kernels/cpu/fused_function.hpp"

// Activations on a `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before. NaN in, NaN out.
namespace seq::cpu {
namespace {

/// 1 / (1 + exp(-x)) for x in [-87, 87], or NaN; right to 3.2e-7 of itself where |x| < 8, and to 1.4e-6 further out.
/// exp(-x) = 2^n · 2^f with |f| <= 1/2, where the polynomial, a minimax fit, is right to 1.1e-7.
inline Vector::Float bounded_sigmoid(Vector::Float x) {
    using V = Vector;
    const V::Float minus_log2_e = V::splat(-1.44269504f);
    const V::Float to_integer = V::splat(12583039.0f);  // 1.5 · 2^23 + 127
    const V::Float rounded = V::fma(x, minus_log2_e, to_integer);
    const V::Float f = V::fma(x, minus_log2_e, V::sub(to_integer, rounded));
    V::Float sum = V::splat(1.326472731e-03f);
    for (const float coefficient : {9.671512991e-03f, 5.550733581e-02f, 2.402224243e-01f, 6.931470037e-01f, 1.0f})
        sum = V::fma(sum, f, V::splat(coefficient));
    return V::reciprocal(V::fma(sum, V::power_of_two(rounded), V::splat(1)));
}

inline Vector::Float sigmoid(Vector::Float x) {
    using V = Vector;
    return bounded_sigmoid(V::at_most(V::at_least(x, V::splat(-87.0f)), V::splat(87.0f)));
}

inline Vector::Float silu(Vector::Float x) {
    using V = Vector;
    // Both factors are bounded below: far below zero the sigmoid is no zero, and would not make a large x one.
    const V::Float bounded = V::at_least(x, V::splat(-87.0f));
    return V::nan_at_minus_infinity(V::mul(bounded, bounded_sigmoid(V::at_most(bounded, V::splat(87.0f)))), x);
}

/// clamp(x + 3, 0, 6) / 6
inline Vector::Float hard_sigmoid(Vector::Float x) {
    using V = Vector;
    const V::Float clamped = V::at_most(V::at_least(V::add(x, V::splat(3)), V::zero()), V::splat(6));
    return V::mul(clamped, V::splat(1.0f / 6.0f));
}

template <Unary F>
Vector::Float activation(Vector::Float x, const float* parameters) {
    using V = Vector;
    if constexpr (F == Unary::leaky_relu) return V::positive_or(x, V::mul(x, V::splat(parameters[0])));
    if constexpr (F == Unary::silu) return silu(x);
    if constexpr (F == Unary::sigmoid) return sigmoid(x);
    if constexpr (F == Unary::hardsigmoid) return hard_sigmoid(x);
    if constexpr (F == Unary::hardswish) return V::mul(x, hard_sigmoid(x));
    return x;
}

template <Unary F>
void activate_rows(float* data, std::int64_t stride, std::int64_t rows, std::int64_t count, const float* parameters) {
    using V = Vector;
    const V::Mask tail = V::first(count % V::lanes);
    for (std::int64_t r = 0; r < rows; ++r, data += stride) {
        std::int64_t i = 0;
        for (; i + V::lanes <= count; i += V::lanes) V::store(data + i, activation<F>(V::load(data + i), parameters));
        if (i < count) V::store(data + i, activation<F>(V::load(data + i, tail), parameters), tail);
    }
}

template <std::size_t... I>
RowFunction pick_row_function(Unary function, std::index_sequence<I...>) {
    RowFunction found = nullptr;
    ((found = function == row_functions[I] ? activate_rows<row_functions[I]> : found), ...);
    return found;
}

}  // namespace
}  // namespace seq::cpu
