#include <immintrin.h>

#include "kernels/cpu/winograd/multiply.hpp"

namespace seq::cpu::winograd {
namespace {

struct Avx2 {
    static constexpr int lanes = 8;
    using Vector = __m256;

    SEQ_INLINE static Vector load(const float* from) { return _mm256_loadu_ps(from); }
    SEQ_INLINE static void store(float* to, Vector value) { _mm256_storeu_ps(to, value); }
    SEQ_INLINE static Vector multiply_add(float a, Vector b, Vector sum) {
        return _mm256_fmadd_ps(_mm256_set1_ps(a), b, sum);
    }
};

}  // namespace

Multiply multiply_avx2(std::int64_t group_tiles, int columns) {
    return multiply_by<Avx2>(group_tiles, columns, std::make_index_sequence<6>());
}

}  // namespace seq::cpu::winograd
