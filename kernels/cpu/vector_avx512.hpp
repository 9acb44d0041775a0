#pragma once

#include <immintrin.h>

#include <cstdint>

// For files named *_avx512.cpp alone. Bodies that are templates over `Vector` are written once for this and AVX2, with
// intrinsics, since GCC 12 makes broadcasts from memory and masked tails of nothing else.
namespace seq::cpu {
namespace {

struct Vector {
    static constexpr int lanes = 16;
    using Float = __m512;
    using Mask = __mmask16;
    using Index = __m512i;

    /// The unmasked forms of some functions make GCC 12 warn of its own headers.
    static constexpr Mask all = 0xffff;

    static Float zero() { return _mm512_setzero_ps(); }
    /// GCC 12 spills some operands of inner loops that have registers to spare.
    static void keep_in_register(Float& value) { asm("" : "+v"(value)); }
    static Float splat(float value) { return _mm512_set1_ps(value); }
    static Float load(const float* from) { return _mm512_loadu_ps(from); }
    static void store(float* to, Float value) { _mm512_storeu_ps(to, value); }
    /// Of each four of these numbers number `I`, four times.
    template <int I>
    static Float of_fours(const float* from) {
        return _mm512_maskz_permute_ps(all, load(from), I * 0x55);
    }
    /// The first `count` lanes, of 0 to all.
    static Mask first(std::int64_t count) { return static_cast<Mask>((1u << count) - 1u); }
    static Float load(const float* from, Mask mask) { return _mm512_maskz_loadu_ps(mask, from); }
    static void store(float* to, Float value, Mask mask) { _mm512_mask_storeu_ps(to, mask, value); }

    /// Numbers that are kept as bf16, which are the upper halves of these.
    static Float load(const std::uint16_t* from) { return load(from, all); }
    static Float load(const std::uint16_t* from, Mask mask) {
        const __m512i halves = _mm512_maskz_cvtepu16_epi32(mask, _mm256_maskz_loadu_epi16(mask, from));
        return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(all, halves, 16));
    }
    /// Rounded to the nearest, ties to even; a NaN stays one.
    static void store(std::uint16_t* to, Float value) { store(to, value, all); }
    static void store(std::uint16_t* to, Float value, Mask mask) {
        const __m512i bits = _mm512_castps_si512(value), cut = _mm512_maskz_srli_epi32(all, bits, 16);
        const __m512i half = _mm512_add_epi32(_mm512_and_si512(cut, _mm512_set1_epi32(1)), _mm512_set1_epi32(0x7fff));
        const __m512i rounded = _mm512_maskz_srli_epi32(all, _mm512_add_epi32(bits, half), 16);
        const __m512i quiet = _mm512_or_si512(cut, _mm512_set1_epi32(0x40));
        const Mask is_nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
        _mm512_mask_cvtepi32_storeu_epi16(to, mask, _mm512_mask_blend_epi32(is_nan, rounded, quiet));
    }

    /// a0 b0 a1 b1 ..., its first half and its second one.
    static Float interleave_low(Float a, Float b) {
        const __m512i from = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        return _mm512_maskz_permutex2var_ps(all, a, from, b);
    }
    static Float interleave_high(Float a, Float b) {
        const __m512i from = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        return _mm512_maskz_permutex2var_ps(all, a, from, b);
    }

    static Index load_index(const std::int32_t* from) { return _mm512_loadu_si512(from); }
    /// Lane `index` of the value, for each lane.
    static Float pick(Float value, Index index) { return _mm512_maskz_permutexvar_ps(all, index, value); }
    /// Numbers 0, 2, 4 ... of both.
    static Float even(Float a, Float b) {
        const __m512i from = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        return _mm512_maskz_permutex2var_ps(all, a, from, b);
    }
    /// Numbers `stride` apart.
    static Float load_each(const float* from, std::int64_t stride) {
        float numbers[lanes];
        for (int i = 0; i < lanes; ++i) numbers[i] = from[i * stride];
        return load(numbers);
    }

    /// NaN where either is.
    static Float max_or_nan(Float a, Float b) {
        return _mm512_mask_max_ps(a, _mm512_cmp_ps_mask(a, a, _CMP_ORD_Q), a, b);
    }
    static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
    static Float sub(Float a, Float b) { return _mm512_sub_ps(a, b); }
    static Float mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
    /// a · b + c
    static Float fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
    /// sum += a · b
    static void add_product(Float& sum, Float a, Float b) { sum = fma(a, b, sum); }
    /// c - a · b
    static Float fnma(Float a, Float b, Float c) { return _mm512_fnmadd_ps(a, b, c); }
    /// Both keep a NaN in x.
    static Float at_least(Float x, Float low) { return _mm512_maskz_max_ps(all, low, x); }
    static Float at_most(Float x, Float high) { return _mm512_maskz_min_ps(all, high, x); }
    /// x where it is above 0 or NaN, else `otherwise`.
    static Float positive_or(Float x, Float otherwise) {
        return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, zero(), _CMP_LE_OQ), x, otherwise);
    }
    /// 2^(i - 127) for 2^23 + i, where the lowest 9 bits of i are in [1, 254].
    static Float power_of_two(Float number) {
        return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(all, _mm512_castps_si512(number), 23));
    }
    static Float sqrt(Float x) { return _mm512_maskz_sqrt_ps(all, x); }
    /// 1 / x within 1 ulp or so for x in [1, 2^126].
    static Float reciprocal(Float x) {
        const Float guess = _mm512_maskz_rcp14_ps(all, x);
        return _mm512_fmadd_ps(guess, _mm512_fnmadd_ps(x, guess, splat(1)), guess);
    }
    /// NaN where `x` is -Inf, else `value`.
    static Float nan_at_minus_infinity(Float value, Float x) {
        // A nibble for each class of x: 2 gives NaN, 0 keeps the value; -Inf is class 4.
        return _mm512_maskz_fixupimm_ps(all, value, x, _mm512_set1_epi32(0x00020000), 0);
    }
};

}  // namespace
}  // namespace seq::cpu
