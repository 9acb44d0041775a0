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
    SEQ_SMALL_INLINE static Vec zero() { return _mm512_setzero_ps(); }
    SEQ_SMALL_INLINE static Vec load(const float* from) { return _mm512_loadu_ps(from); }
    SEQ_SMALL_INLINE static void store(float* to, Vec x) { _mm512_storeu_ps(to, x); }
    SEQ_SMALL_INLINE static Vec splat(const float* from) { return _mm512_set1_ps(*from); }
    SEQ_SMALL_INLINE static Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
    SEQ_SMALL_INLINE static Vec mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
    SEQ_SMALL_INLINE static Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
    SEQ_SMALL_INLINE static Vec max(Vec bound, Vec x) { return _mm512_maskz_max_ps(all, bound, x); }
    SEQ_SMALL_INLINE static Vec min(Vec bound, Vec x) { return _mm512_maskz_min_ps(all, bound, x); }
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
