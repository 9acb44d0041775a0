#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/simd.hpp"
#include "kernels/cpu/small/routines_body.hpp"

namespace seq::cpu::small {
namespace {

struct V {
    using Vec = simd::Float<4>;
    static constexpr int lanes = 4;
    static constexpr int positions[2] = {8, 4};
    SEQ_SMALL_INLINE static Vec zero() { return Vec{}; }
    SEQ_SMALL_INLINE static Vec load(const float* from) { return simd::load<4>(from); }
    SEQ_SMALL_INLINE static Vec load_first(const float* from, int count) {
        Vec first{};
        for (int i = 0; i < count; ++i) first[i] = from[i];
        return first;
    }
    SEQ_SMALL_INLINE static void store(float* to, Vec x) { simd::store<4>(to, x); }
    SEQ_SMALL_INLINE static Vec splat(const float* from) { return simd::splat<4>(*from); }
    SEQ_SMALL_INLINE static Vec add(Vec a, Vec b) { return a + b; }
    SEQ_SMALL_INLINE static Vec mul(Vec a, Vec b) { return a * b; }
    SEQ_SMALL_INLINE static Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }
    SEQ_SMALL_INLINE static Vec max(Vec bound, Vec x) { return x < bound ? bound : x; }
    SEQ_SMALL_INLINE static Vec min(Vec bound, Vec x) { return x > bound ? bound : x; }
    /// In the first numbers of the result.
    template <int Count>
    SEQ_SMALL_INLINE static Vec sums(const Vec (&x)[Count]) {
        Vec all{};
        for (int i = 0; i < Count; ++i) all[i] = (x[i][0] + x[i][2]) + (x[i][1] + x[i][3]);
        return all;
    }
    SEQ_SMALL_INLINE static Vec max_or_nan(Vec a, Vec b) { return simd::max_or_nan<4>(b, a); }
};

}  // namespace

const Routines& routines_baseline() {
    static constexpr Routines made = make_routines<V>();
    return made;
}

const Routines& routines(Isa isa) {
    switch (isa) {
        case Isa::avx512: return routines_avx512();
        case Isa::avx2: return routines_avx2();
        case Isa::scalar: break;
    }
    return routines_baseline();
}

}  // namespace seq::cpu::small
