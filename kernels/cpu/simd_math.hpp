#pragma once

#include "kernels/cpu/simd.hpp"

// Elementary functions on N lanes, within about 4 ulp; NaN in, NaN out. The polynomials are minimax fits of relative
// error below 3e-8 over the interval that each comment names.
namespace seq::simd {

template <int N, int Count>
SEQ_INLINE Float<N> polynomial(Float<N> x, const float (&coefficients)[Count]) {
    Float<N> sum = splat<N>(coefficients[Count - 1]);
#pragma GCC unroll 12
    for (int i = Count - 2; i >= 0; --i) sum = sum * x + coefficients[i];
    return sum;
}

/// 2^n for integral n in [-126, 127].
template <int N>
SEQ_INLINE Float<N> power_of_two(Float<N> n) {
    const auto exponent = bits_as<Bits<N>>(__builtin_convertvector(n, Int<N>));
    return bits_as<Float<N>>((exponent + 127u) << 23u);
}

/// x = n · log 2 + r with |r| <= log 2 / 2, and (exp(r) - 1) / r.
template <int N>
struct ExpParts {
    Float<N> n, r, slope;
};
template <int N>
SEQ_INLINE ExpParts<N> exp_parts(Float<N> x) {
    constexpr float to_integer = 12582912.0f;  // 1.5 · 2^23
    const Float<N> n = (x * 1.44269504f + to_integer) - to_integer;
    const Float<N> r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    constexpr float slope[] = {1.000000000e+00f, 5.000000047e-01f, 1.666666625e-01f, 4.166635432e-02f,
                               8.333402932e-03f, 1.394101535e-03f, 1.984124807e-04f};  // |r| <= log 2 / 2
    return {n, r, polynomial<N>(r, slope)};
}

template <int N>
SEQ_INLINE Float<N> exp(Float<N> x) {
    const ExpParts<N> parts = exp_parts<N>(at_most<N>(at_least<N>(x, -105.0f), 89.0f));
    const Float<N> half = __builtin_convertvector(__builtin_convertvector(parts.n, Int<N>) >> 1, Float<N>);
    return (parts.r * parts.slope + 1.0f) * power_of_two<N>(half) * power_of_two<N>(parts.n - half);
}

/// exp(x) - 1 for x <= 0.
template <int N>
SEQ_INLINE Float<N> expm1_negative(Float<N> x) {
    const ExpParts<N> parts = exp_parts<N>(at_most<N>(at_least<N>(x, -30.0f), 0.0f));
    const Float<N> scale = power_of_two<N>(parts.n);
    return parts.r * parts.slope * scale + (scale - 1.0f);
}

/// The natural logarithm of a normal x > 0, or +Inf.
template <int N>
SEQ_INLINE Float<N> log(Float<N> x) {
    const Bits<N> shifted = bits_as<Bits<N>>(x) - 0x3f3504f3u;  // sqrt(1/2)
    const Float<N> exponent = __builtin_convertvector(bits_as<Int<N>>(shifted) >> 23, Float<N>);
    const Float<N> m = bits_as<Float<N>>((shifted & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
    constexpr float slope[] = {1.000000000e+00f, -4.999998826e-01f, 3.333332590e-01f, -2.500158984e-01f,
                               2.000197732e-01f, -1.660893275e-01f, 1.418159980e-01f, -1.324393569e-01f,
                               1.290648635e-01f, -7.622208547e-02f};  // sqrt(1/2) - 1 <= m <= sqrt(2) - 1
    const Float<N> result = (m * polynomial<N>(m, slope) - exponent * 2.12194440e-4f) + exponent * 0.693359375f;
    return either<N>(x != x, x > 3.402823466e38f) ? x : result;
}

/// log(1 + x) for x >= 0.
template <int N>
SEQ_INLINE Float<N> log1p(Float<N> x) {
    const Float<N> sum = x + 1.0f;
    const Float<N> rounded = sum - 1.0f;
    return either<N>(rounded == 0.0f, x > 3e38f) ? x : log<N>(sum) * (x / rounded);
}

template <int N>
SEQ_INLINE Float<N> tanh(Float<N> x) {
    const Float<N> magnitude = abs<N>(x);
    const Float<N> square = x * x;
    constexpr float slope[] = {9.999999961e-01f,  -3.333326053e-01f, 1.333112752e-01f,
                               -5.372106661e-02f, 2.059098420e-02f,  -5.659984788e-03f};  // |x| <= 0.625, in x²
    const Float<N> large = 1.0f - 2.0f / (exp<N>(magnitude + magnitude) + 1.0f);
    return magnitude < 0.625f ? x * polynomial<N>(square, slope) : copy_sign<N>(large, x);
}

template <int N>
SEQ_INLINE Float<N> erf(Float<N> x) {
    const Float<N> magnitude = abs<N>(x);
    const Float<N> square = x * x;
    constexpr float slope[] = {1.128379166e+00f, -3.761262582e-01f, 1.128358515e-01f, -2.685381187e-02f,
                               5.188327560e-03f, -8.010192519e-04f, 7.853857699e-05f};  // |x| <= 1, in x²
    const Float<N> t = 1.0f / (magnitude * 0.3275911f + 1.0f);
    constexpr float scaled[] = {1.849355637e-01f, 1.826589304e-01f,  1.926765588e-01f, 7.432845054e-02f,
                                3.476122375e-01f, -2.725908812e-01f, 4.055583733e-01f, -1.150639096e-01f};  // |x| >= 1
    const Float<N> large = 1.0f - exp<N>(-square) * t * polynomial<N>(t, scaled);
    return magnitude < 1.0f ? x * polynomial<N>(square, slope) : copy_sign<N>(large, x);
}

template <int N>
SEQ_INLINE Float<N> sigmoid(Float<N> x) {
    return 1.0f / (exp<N>(-x) + 1.0f);
}

}  // namespace seq::simd
