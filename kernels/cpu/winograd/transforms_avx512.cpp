#include <immintrin.h>

#include "kernels/cpu/vector_avx512.hpp"
#include "kernels/cpu/winograd/line_transforms.hpp"
#include "kernels/cpu/winograd/tile_transforms.hpp"

namespace seq::cpu::winograd {
namespace {

struct Avx512 {
    static constexpr int lanes = 16;
    using Vector = __m512;
    using Mask = __mmask16;
    static constexpr Mask every = 0xffff;

    SEQ_INLINE static Mask mask(int count) { return static_cast<Mask>((1u << count) - 1); }
    SEQ_INLINE static Vector load(const float* from) { return _mm512_loadu_ps(from); }
    SEQ_INLINE static Vector load(const float* from, Mask mask) { return _mm512_maskz_loadu_ps(mask, from); }
    SEQ_INLINE static void store(float* to, Vector value) { _mm512_storeu_ps(to, value); }
    SEQ_INLINE static void store(float* to, Vector value, Mask mask) { _mm512_mask_storeu_ps(to, mask, value); }
    SEQ_INLINE static Vector splat(float value) { return _mm512_set1_ps(value); }
    /// A NaN stays. (GCC 12 warns of the forms without a mask.)
    SEQ_INLINE static Vector clamp(Vector value, Vector low, Vector high) {
        return _mm512_maskz_min_ps(every, high, _mm512_maskz_max_ps(every, low, value));
    }
    SEQ_INLINE static Vector max_or_nan(Vector a, Vector b) { return cpu::Vector::max_or_nan(a, b); }
};

}  // namespace

Transforms transforms_avx512(int tile, int stride, bool lines) {
    return lines ? line_transforms_by<Avx512>(tile) : transforms_by<Avx512>(tile, stride);
}

}  // namespace seq::cpu::winograd
