#pragma once

#include "kernels/cpu/simd_math.hpp"

namespace seq::simd {

/// Sums of up to this many terms a lane are added up before they are added to the rest, which keeps errors small.
inline constexpr std::int64_t partial_terms = 64;

/// The sum of term(x[i]) for i in [0, count), where term maps N numbers and gives 0 for the lanes past the end.
template <int N, class Term>
SEQ_INLINE float sum_terms(const float* x, std::int64_t count, const Term& term) {
    Float<N> total = splat<N>(0.0f);
    std::int64_t i = 0;
    while (i + N <= count) {
        Float<N> part = splat<N>(0.0f);
        const std::int64_t last = i + N * partial_terms < count - N + 1 ? i + N * partial_terms : count - N + 1;
        for (; i < last; i += N) part += term.template apply<N>(load<N>(x + i));
        total += part;
    }
    float sum = sum_lanes<N>(total);
    for (; i < count; ++i) sum += term.apply_one(x[i]);
    return sum;
}

struct Itself {
    template <int N>
    SEQ_INLINE Float<N> apply(Float<N> x) const {
        return x;
    }
    SEQ_INLINE float apply_one(float x) const { return x; }
};

/// The square of the distance from a center.
struct SquaredDistance {
    float center = 0;
    template <int N>
    SEQ_INLINE Float<N> apply(Float<N> x) const {
        return (x - center) * (x - center);
    }
    SEQ_INLINE float apply_one(float x) const { return (x - center) * (x - center); }
};

}  // namespace seq::simd
