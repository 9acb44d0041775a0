#pragma once

#include <cstdint>

#include "kernels/kernel.hpp"

// Code for several instruction sets from one source: a body is a class with
//     template <int N> static void run(args...)
// written over Float<N> and marked SEQ_INLINE, as is all that it calls; select<Body, Args...>(isa) gives it built for
// 4 (baseline), 8 (AVX2) or 16 (AVX-512) lanes. Nothing outside these wrappers is built for more than the baseline.

#define SEQ_INLINE [[gnu::always_inline]] inline

namespace seq::simd {

template <int N>
struct Lanes {
    typedef float Float __attribute__((vector_size(N * 4)));
    typedef std::int32_t Int __attribute__((vector_size(N * 4)));
    typedef std::uint32_t Bits __attribute__((vector_size(N * 4)));
};
template <int N>
using Float = typename Lanes<N>::Float;
template <int N>
using Int = typename Lanes<N>::Int;
/// Unsigned, so that what overflows wraps around.
template <int N>
using Bits = typename Lanes<N>::Bits;

template <int N>
SEQ_INLINE Float<N> splat(float value) {
    return Float<N>{} + value;
}
template <int N>
SEQ_INLINE Float<N> load(const float* from) {
    Float<N> value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}
template <int N>
SEQ_INLINE void store(float* to, Float<N> value) {
    __builtin_memcpy(to, &value, sizeof value);
}
/// The first `count` lanes; the others are 0.
template <int N>
SEQ_INLINE Float<N> load_part(const float* from, std::int64_t count) {
    alignas(64) float lanes[N] = {};
    for (std::int64_t i = 0; i < count; ++i) lanes[i] = from[i];
    return load<N>(lanes);
}
template <int N>
SEQ_INLINE void store_part(float* to, Float<N> value, std::int64_t count) {
    alignas(64) float lanes[N];
    store<N>(lanes, value);
    for (std::int64_t i = 0; i < count; ++i) to[i] = lanes[i];
}
/// The same bits as another type.
template <class To, class From>
SEQ_INLINE To bits_as(From value) {
    static_assert(sizeof(To) == sizeof(From));
    To result;
    __builtin_memcpy(&result, &value, sizeof result);
    return result;
}
template <int N>
SEQ_INLINE Float<N> abs(Float<N> x) {
    return bits_as<Float<N>>(bits_as<Bits<N>>(x) & 0x7fffffffu);
}
/// The magnitude of `x` with the sign of `sign`.
template <int N>
SEQ_INLINE Float<N> copy_sign(Float<N> x, Float<N> sign) {
    return bits_as<Float<N>>((bits_as<Bits<N>>(x) & 0x7fffffffu) | (bits_as<Bits<N>>(sign) & 0x80000000u));
}
/// max(x, low) and min(x, high) that keep a NaN in x.
template <int N>
SEQ_INLINE Float<N> at_least(Float<N> x, float low) {
    return x < low ? splat<N>(low) : x;
}
template <int N>
SEQ_INLINE Float<N> at_most(Float<N> x, float high) {
    return x > high ? splat<N>(high) : x;
}
/// Where one comparison or the other holds. (GCC 12 takes `a | b` of two comparisons apart into single lanes.)
template <int N>
SEQ_INLINE Int<N> either(Int<N> a, Int<N> b) {
    return a + b < 0;
}
/// The larger of two, NaN where either is NaN.
template <int N>
SEQ_INLINE Float<N> max_or_nan(Float<N> a, Float<N> b) {
    const Float<N> larger = b > a ? b : a;
    return b == b ? larger : splat<N>(__builtin_nanf(""));
}
template <int N>
SEQ_INLINE float sum_lanes(Float<N> value) {
    float sum = 0;
    for (int i = 0; i < N; ++i) sum += value[i];
    return sum;
}

#define SEQ_TARGET_AVX2 gnu::target("avx2,fma")
#define SEQ_TARGET_AVX512 gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")

template <class Body, class... Args>
[[SEQ_TARGET_AVX512]] void run_avx512(Args... args) {
    Body::template run<16>(args...);
}
template <class Body, class... Args>
[[SEQ_TARGET_AVX2]] void run_avx2(Args... args) {
    Body::template run<8>(args...);
}
template <class Body, class... Args>
void run_baseline(Args... args) {
    Body::template run<4>(args...);
}

/// The body built for `isa`.
template <class Body, class... Args>
auto select(Isa isa) -> void (*)(Args...) {
    switch (isa) {
        case Isa::avx512: return run_avx512<Body, Args...>;
        case Isa::avx2: return run_avx2<Body, Args...>;
        case Isa::scalar: break;
    }
    return run_baseline<Body, Args...>;
}

}  // namespace seq::simd
