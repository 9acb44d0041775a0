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
    SEQ_SMALL_INLINE static Vec load_first(const float* from, int count) {
        const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        return _mm256_maskload_ps(from, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), places));
    }
    SEQ_SMALL_INLINE static void store(float* to, Vec x) { _mm256_storeu_ps(to, x); }
    SEQ_SMALL_INLINE static Vec splat(const float* from) { return _mm256_broadcast_ss(from); }
    SEQ_SMALL_INLINE static Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
    SEQ_SMALL_INLINE static Vec mul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
    SEQ_SMALL_INLINE static Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
    SEQ_SMALL_INLINE static Vec max(Vec bound, Vec x) { return _mm256_max_ps(bound, x); }
    SEQ_SMALL_INLINE static Vec min(Vec bound, Vec x) { return _mm256_min_ps(bound, x); }
    /// In the first numbers of the result.
    template <int Count>
    SEQ_SMALL_INLINE static Vec sums(const Vec (&x)[Count]) {
        Vec halves[2];  // both halves of the one at g hold parts of the sums of vectors 4 · g to 4 · g + 3
#pragma GCC unroll 2
        for (int g = 0; g < 2; ++g) {
            const auto pair = [&](int i) { return _mm256_hadd_ps(x[(4 * g + i) % Count], x[(4 * g + i + 1) % Count]); };
            halves[g] = _mm256_hadd_ps(pair(0), pair(2));
        }
        return _mm256_add_ps(_mm256_permute2f128_ps(halves[0], halves[1], 0x20),
                             _mm256_permute2f128_ps(halves[0], halves[1], 0x31));
    }
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
