#include <immintrin.h>

#include "kernels/cpu/winograd/multiply.hpp"

namespace seq::cpu::winograd {
namespace {

struct Avx512 {
    static constexpr int lanes = 16;
    using Vector = __m512;

    SEQ_INLINE static Vector load(const float* from) { return _mm512_loadu_ps(from); }
    SEQ_INLINE static void store(float* to, Vector value) { _mm512_storeu_ps(to, value); }
    SEQ_INLINE static Vector multiply_add(float a, Vector b, Vector sum) {
        return _mm512_fmadd_ps(_mm512_set1_ps(a), b, sum);
    }
};

}  // namespace

Multiply multiply_avx512(std::int64_t group_tiles, int columns) {
    return multiply_by<Avx512>(group_tiles, columns, std::make_index_sequence<14>());
}

}  // namespace seq::cpu::winograd
