#pragma once

#include "kernels/cpu/elementwise/functions.hpp"

// Activations on a `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before. NaN in, NaN out.
namespace seq::cpu {
namespace {

/// exp(-x) within about 2 ulp where |x| <= 87; further out what it is there. exp(-x) = 2^n · exp(-r) with
/// |r| <= log 2 / 2, where the polynomial, a minimax fit, is right to 4e-9.
inline Vector::Float exp_of_negative(Vector::Float x) {
    using V = Vector;
    x = V::at_most(V::at_least(x, V::splat(-87.0f)), V::splat(87.0f));
    const V::Float to_integer = V::splat(12582912.0f);  // 1.5 · 2^23
    const V::Float n = V::sub(V::fma(x, V::splat(-1.44269504f), to_integer), to_integer);
    const V::Float r = V::fnma(n, V::splat(2.12194440e-4f), V::fma(n, V::splat(0.693359375f), x));
    V::Float sum = V::splat(1.381446693e-03f);
    for (const float coefficient :
         {-8.368780418e-03f, 4.166839421e-02f, -1.666652011e-01f, 4.999999341e-01f, -1.0f, 1.0f}) {
        sum = V::fma(sum, r, V::splat(coefficient));
    }
    return V::scale(sum, n);
}

inline Vector::Float sigmoid(Vector::Float x) {
    using V = Vector;
    return V::reciprocal(V::add(exp_of_negative(x), V::splat(1)));
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
    if constexpr (F == Unary::silu) return V::nan_at_minus_infinity(V::mul(x, sigmoid(x)), x);
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

}  // namespace
}  // namespace seq::cpu
