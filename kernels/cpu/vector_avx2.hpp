#pragma once

#include <immintrin.h>

#include <cstdint>

// For files named *_avx2.cpp alone: what vector_avx512.hpp has, for AVX2 and FMA.
namespace seq::cpu {
namespace {

struct Vector {
    static constexpr int lanes = 8;
    using Float = __m256;
    using Mask = __m256i;
    using Index = __m256i;

    static Float zero() { return _mm256_setzero_ps(); }
    /// GCC 12 spills some operands of inner loops that have registers to spare.
    static void keep_in_register(Float& value) { asm("" : "+x"(value)); }
    static Float splat(float value) { return _mm256_set1_ps(value); }
    static Float load(const float* from) { return _mm256_loadu_ps(from); }
    static void store(float* to, Float value) { _mm256_storeu_ps(to, value); }
    /// Of each four of these numbers number `I`, four times.
    template <int I>
    static Float of_fours(const float* from) {
        return _mm256_permute_ps(load(from), I * 0x55);
    }
    /// The first `count` lanes, of 0 to all.
    static Mask first(std::int64_t count) {
        const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
    }
    static Float load(const float* from, Mask mask) { return _mm256_maskload_ps(from, mask); }
    /// Zen takes a dozen cycles for a masked store, whatever the mask, and most masks let everything through.
    static void store(float* to, Float value, Mask mask) {
        if (_mm256_movemask_ps(_mm256_castsi256_ps(mask)) == (1 << lanes) - 1) return store(to, value);
        _mm256_maskstore_ps(to, mask, value);
    }

    /// Numbers that are kept as bf16, which are the upper halves of these.
    static Float load(const std::uint16_t* from) {
        const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
    }
    static Float load(const std::uint16_t* from, Mask mask) {
        alignas(16) std::uint16_t halves[lanes] = {};
        for (int i = 0, count = count_of(mask); i < count; ++i) halves[i] = from[i];
        return load(halves);
    }
    /// Rounded to the nearest, ties to even; a NaN stays one.
    static void store(std::uint16_t* to, Float value) {
        const __m256i bits = _mm256_castps_si256(value), cut = _mm256_srli_epi32(bits, 16);
        const __m256i half = _mm256_add_epi32(_mm256_and_si256(cut, _mm256_set1_epi32(1)), _mm256_set1_epi32(0x7fff));
        const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, half), 16);
        const __m256i quiet = _mm256_or_si256(cut, _mm256_set1_epi32(0x40));
        const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(value, value, _CMP_UNORD_Q));
        const __m256i halves = _mm256_blendv_epi8(rounded, quiet, is_nan);
        const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), packed);
    }
    static void store(std::uint16_t* to, Float value, Mask mask) {
        alignas(16) std::uint16_t halves[lanes];
        store(halves, value);
        for (int i = 0, count = count_of(mask); i < count; ++i) to[i] = halves[i];
    }
    /// How many lanes first() has set.
    static int count_of(Mask mask) { return __builtin_popcount(_mm256_movemask_ps(_mm256_castsi256_ps(mask))); }

    /// a0 b0 a1 b1 ..., its first half and its second one.
    static Float interleave_low(Float a, Float b) {
        return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x20);
    }
    static Float interleave_high(Float a, Float b) {
        return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x31);
    }

    static Index load_index(const std::int32_t* from) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    }
    /// Lane `index` of the value, for each lane.
    static Float pick(Float value, Index index) { return _mm256_permutevar8x32_ps(value, index); }
    /// Numbers 0, 2, 4 ... of both.
    static Float even(Float a, Float b) {
        const __m256d pairs = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
        return _mm256_castpd_ps(_mm256_permute4x64_pd(pairs, 0xd8));
    }
    /// Numbers `stride` apart.
    static Float load_each(const float* from, std::int64_t stride) {
        return _mm256_setr_ps(from[0], from[stride], from[2 * stride], from[3 * stride], from[4 * stride],
                              from[5 * stride], from[6 * stride], from[7 * stride]);
    }

    /// NaN where either is.
    static Float max_or_nan(Float a, Float b) {
        return _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
    }
    static Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
    static Float sub(Float a, Float b) { return _mm256_sub_ps(a, b); }
    static Float mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
    /// a · b + c
    static Float fma(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
    /// sum += a · b, with the sum where it is: GCC 12 has them change registers in long loops, and copies and spills
    /// them.
    static void add_product(Float& sum, Float a, Float b) {
        asm("vfmadd231ps %[b], %[a], %[sum]" : [sum] "+x"(sum) : [a] "x"(a), [b] "x"(b));
    }
    /// c - a · b
    static Float fnma(Float a, Float b, Float c) { return _mm256_fnmadd_ps(a, b, c); }
    /// Both keep a NaN in x.
    static Float at_least(Float x, Float low) { return _mm256_max_ps(low, x); }
    static Float at_most(Float x, Float high) { return _mm256_min_ps(high, x); }
    /// x where it is above 0 or NaN, else `otherwise`.
    static Float positive_or(Float x, Float otherwise) {
        return _mm256_blendv_ps(x, otherwise, _mm256_cmp_ps(x, zero(), _CMP_LE_OQ));
    }
    /// 2^(i - 127) for 2^23 + i, where the lowest 9 bits of i are in [1, 254].
    static Float power_of_two(Float number) {
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(number), 23));
    }
    static Float sqrt(Float x) { return _mm256_sqrt_ps(x); }
    static Float reciprocal(Float x) { return _mm256_div_ps(splat(1), x); }
    /// NaN where `x` is -Inf, else `value`.
    static Float nan_at_minus_infinity(Float value, Float x) {
        const __m256 lost = _mm256_cmp_ps(x, splat(-__builtin_inff()), _CMP_EQ_OQ);
        return _mm256_or_ps(value, lost);
    }
};

}  // namespace
}  // namespace seq::cpu
