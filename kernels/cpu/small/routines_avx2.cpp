#include <immintrin.h>

#include "kernels/cpu/small/routines_body.hpp"

namespace seq::cpu::small {
namespace {

struct V {
    using Vec = __m256;
    static constexpr int lanes = 8;
    static constexpr int positions[2] = {12, 6};
    SEQ_SMALL_INLINE static Vec zero() { return _mm256_setzero_ps(); }
    SEQ_SMALL_INLINE static Vec load(const float* from) { return _mm256_loadu_ps(from); }
    SEQ_SMALL_INLINE static void store(float* to, Vec x) { _mm256_storeu_ps(to, x); }
    SEQ_SMALL_INLINE static Vec splat(const float* from) { return _mm256_broadcast_ss(from); }
    SEQ_SMALL_INLINE static Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
    SEQ_SMALL_INLINE static Vec mul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
    SEQ_SMALL_INLINE static Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
    SEQ_SMALL_INLINE static Vec max(Vec bound, Vec x) { return _mm256_max_ps(bound, x); }
    SEQ_SMALL_INLINE static Vec min(Vec bound, Vec x) { return _mm256_min_ps(bound, x); }
    SEQ_SMALL_INLINE static Vec max_or_nan(Vec a, Vec b) {
        return _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
    }
};

}  // namespace

const Routines& routines_avx2() {
    static constexpr Routines made = make_routines<V>();
    return made;
}

}  // namespace seq::cpu::small
