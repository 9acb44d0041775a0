#include <immintrin.h>

#include "kernels/cpu/vector_avx2.hpp"
#include "kernels/cpu/winograd/line_transforms.hpp"
#include "kernels/cpu/winograd/tile_transforms.hpp"

namespace seq::cpu::winograd {
namespace {

struct Avx2 {
    static constexpr int lanes = 8;
    using Vector = __m256;
    using Mask = __m256i;

    SEQ_INLINE static Mask mask(int count) { return cpu::Vector::first(count); }
    SEQ_INLINE static Vector load(const float* from) { return _mm256_loadu_ps(from); }
    SEQ_INLINE static Vector load(const float* from, Mask mask) { return _mm256_maskload_ps(from, mask); }
    SEQ_INLINE static void store(float* to, Vector value) { _mm256_storeu_ps(to, value); }
    SEQ_INLINE static void store(float* to, Vector value, Mask mask) { cpu::Vector::store(to, value, mask); }
    SEQ_INLINE static Vector splat(float value) { return _mm256_set1_ps(value); }
    /// A NaN stays.
    SEQ_INLINE static Vector clamp(Vector value, Vector low, Vector high) {
        return _mm256_min_ps(high, _mm256_max_ps(low, value));
    }
    SEQ_INLINE static Vector max_or_nan(Vector a, Vector b) { return cpu::Vector::max_or_nan(a, b); }
};

}  // namespace

Transforms transforms_avx2(int tile, int stride, bool lines) {
    return lines ? line_transforms_by<Avx2>(tile) : transforms_by<Avx2>(tile, stride);
}

}  // namespace seq::cpu::winograd
