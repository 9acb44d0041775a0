#include <immintrin.h>

#include "kernels/cpu/small/routines_body.hpp"

namespace seq::cpu::small {
namespace {

struct V {
    using Vec = __m512;
    static constexpr int lanes = 16;
    static constexpr int positions[2] = {16, 14};
    // GCC 12 warns of an uninitialised operand in the forms without a mask, and makes the same instructions of these.
    static constexpr __mmask16 all = 0xffff;
    static constexpr __mmask8 all_pairs = 0xff;
    SEQ_SMALL_INLINE static Vec zero() { return _mm512_setzero_ps(); }
    SEQ_SMALL_INLINE static Vec load(const float* from) { return _mm512_loadu_ps(from); }
    SEQ_SMALL_INLINE static Vec load_first(const float* from, int count) {
        return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
    }
    SEQ_SMALL_INLINE static void store(float* to, Vec x) { _mm512_storeu_ps(to, x); }
    SEQ_SMALL_INLINE static Vec splat(const float* from) { return _mm512_set1_ps(*from); }
    SEQ_SMALL_INLINE static Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
    SEQ_SMALL_INLINE static Vec mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
    SEQ_SMALL_INLINE static Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
    SEQ_SMALL_INLINE static Vec max(Vec bound, Vec x) { return _mm512_maskz_max_ps(all, bound, x); }
    SEQ_SMALL_INLINE static Vec min(Vec bound, Vec x) { return _mm512_maskz_min_ps(all, bound, x); }
    /// Quarters of a, and of b, in pairs: two of a, then two of b.
    template <int First, int Second>
    SEQ_SMALL_INLINE static Vec add_quarters(Vec a, Vec b) {
        return _mm512_add_ps(_mm512_maskz_shuffle_f32x4(all, a, b, First),
                             _mm512_maskz_shuffle_f32x4(all, a, b, Second));
    }
    SEQ_SMALL_INLINE static Vec add_interleaved(Vec a, Vec b) {
        return _mm512_add_ps(_mm512_maskz_unpacklo_ps(all, a, b), _mm512_maskz_unpackhi_ps(all, a, b));
    }
    /// In the first numbers of the result.
    template <int Count>
    SEQ_SMALL_INLINE static Vec sums(const Vec (&x)[Count]) {
        Vec quarters[4];  // quarter l of the one at g is of vector 4 · l + g
#pragma GCC unroll 4
        for (int g = 0; g < 4; ++g) {
            const Vec low = add_quarters<0x44, 0xee>(x[g % Count], x[(4 + g) % Count]);
            const Vec high = Count < 16 ? low : add_quarters<0x44, 0xee>(x[(8 + g) % Count], x[(12 + g) % Count]);
            quarters[g] = add_quarters<0x88, 0xdd>(low, high);
        }
        const __m512d a = _mm512_castps_pd(add_interleaved(quarters[0], quarters[1]));
        const __m512d b = _mm512_castps_pd(add_interleaved(quarters[2], quarters[3]));
        return _mm512_add_ps(_mm512_castpd_ps(_mm512_maskz_unpacklo_pd(all_pairs, a, b)),
                             _mm512_castpd_ps(_mm512_maskz_unpackhi_pd(all_pairs, a, b)));
    }
    SEQ_SMALL_INLINE static Vec max_or_nan(Vec a, Vec b) {
        return _mm512_mask_mov_ps(_mm512_maskz_max_ps(all, a, b), _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), a);
    }
};

}  // namespace

const Routines& routines_avx512() {
    static constexpr Routines made = make_routines<V>();
    return made;
}

}  // namespace seq::cpu::small
