#include "kernels/cpu/elementwise/functions.hpp"

#include <limits>

#include "kernels/cpu/simd_math.hpp"

namespace seq::cpu {
namespace {

using namespace simd;

/// The function on N lanes; `p` holds its parameters.
template <Unary F, int N>
SEQ_INLINE Float<N> apply(Float<N> x, const float* p) {
    const Float<N> zero = splat<N>(0.0f);
    if constexpr (F == Unary::relu) return at_least<N>(x, 0.0f);
    if constexpr (F == Unary::leaky_relu) return x > zero ? x : x * p[0];
    if constexpr (F == Unary::elu) return x > zero ? x : expm1_negative<N>(x) * p[0];
    if constexpr (F == Unary::selu)
        return (x > zero ? x : expm1_negative<N>(x) * 1.6732632423543772f) * 1.0507009873554805f;
    if constexpr (F == Unary::celu) {
        const Float<N> scaled = x / p[0];
        const Float<N> exp_minus_1 = p[0] < 0.0f ? simd::exp<N>(scaled) - 1.0f : expm1_negative<N>(scaled);
        return x > zero ? x : exp_minus_1 * p[0];
    }
    if constexpr (F == Unary::gelu) return x * 0.5f * (1.0f + erf<N>(x * 0.70710678f));
    if constexpr (F == Unary::gelu_tanh) {
        return 0.5f * x * (1.0f + simd::tanh<N>(0.79788456f * (x + 0.044715f * x * x * x)));
    }
    if constexpr (F == Unary::silu) return x / (1.0f + simd::exp<N>(-x));
    if constexpr (F == Unary::mish) {
        const Float<N> e = simd::exp<N>(at_most<N>(x, 20.0f));
        const Float<N> square = e * (e + 2.0f);
        return x > 20.0f ? x : x * (square / (square + 2.0f));
    }
    if constexpr (F == Unary::sigmoid) return simd::sigmoid<N>(x);
    if constexpr (F == Unary::log_sigmoid) return at_most<N>(x, 0.0f) - simd::log1p<N>(simd::exp<N>(-abs<N>(x)));
    if constexpr (F == Unary::hardsigmoid) return at_most<N>(at_least<N>(x + 3.0f, 0.0f), 6.0f) / 6.0f;
    if constexpr (F == Unary::hardswish) return x * at_most<N>(at_least<N>(x + 3.0f, 0.0f), 6.0f) / 6.0f;
    if constexpr (F == Unary::hardtanh) return at_most<N>(at_least<N>(x, p[0]), p[1]);
    if constexpr (F == Unary::hardshrink) return abs<N>(x) <= p[0] ? zero : x;
    if constexpr (F == Unary::softshrink) {
        const Float<N> above = x > p[0] ? x - p[0] : zero;
        return x != x ? x : (x < -p[0] ? x + p[0] : above);
    }
    if constexpr (F == Unary::tanhshrink) return x - simd::tanh<N>(x);
    if constexpr (F == Unary::softplus) {
        const Float<N> scaled = x * p[0];
        // log(1 + exp(s)) = max(s, 0) + log(1 + exp(-|s|)), which does not overflow.
        const Float<N> smooth = at_least<N>(scaled, 0.0f) + simd::log1p<N>(simd::exp<N>(-abs<N>(scaled)));
        return scaled > p[1] ? x : smooth / p[0];
    }
    if constexpr (F == Unary::softsign) return x / (1.0f + abs<N>(x));
    if constexpr (F == Unary::tanh) return simd::tanh<N>(x);
    if constexpr (F == Unary::threshold) return x <= p[0] ? splat<N>(p[1]) : x;
    if constexpr (F == Unary::add) return x + p[0];
    if constexpr (F == Unary::mul) return x * p[0];
    if constexpr (F == Unary::div) return x / p[0];
    return x;
}

template <Binary F, int N>
SEQ_INLINE Float<N> apply(Float<N> a, Float<N> b) {
    if constexpr (F == Binary::add) return a + b;
    if constexpr (F == Binary::sub) return a - b;
    if constexpr (F == Binary::mul) return a * b;
    if constexpr (F == Binary::div) return a / b;
    if constexpr (F == Binary::prelu) return a > 0.0f ? a : a * b;
}

template <Unary F, bool Scalar>
struct UnaryLoop {
    template <int N>
    SEQ_INLINE static void run(const float* a, const float*, float* out, std::int64_t count, const float* parameters) {
        const float p[2] = {parameters[0], parameters[1]};
        const Float<N> fixed = splat<N>(a[0]);
        std::int64_t i = 0;
        for (; i + N <= count; i += N) store<N>(out + i, apply<F, N>(Scalar ? fixed : load<N>(a + i), p));
        if (i == count) return;
        store_part<N>(out + i, apply<F, N>(Scalar ? fixed : load_part<N>(a + i, count - i), p), count - i);
    }
};

template <Binary F, bool ScalarA, bool ScalarB>
struct BinaryLoop {
    template <int N>
    SEQ_INLINE static void run(const float* a, const float* b, float* out, std::int64_t count, const float*) {
        const Float<N> fixed_a = splat<N>(a[0]);
        const Float<N> fixed_b = splat<N>(b[0]);
        std::int64_t i = 0;
        for (; i + N <= count; i += N) {
            store<N>(out + i, apply<F, N>(ScalarA ? fixed_a : load<N>(a + i), ScalarB ? fixed_b : load<N>(b + i)));
        }
        if (i == count) return;
        const Float<N> last_a = ScalarA ? fixed_a : load_part<N>(a + i, count - i);
        const Float<N> last_b = ScalarB ? fixed_b : load_part<N>(b + i, count - i);
        store_part<N>(out + i, apply<F, N>(last_a, last_b), count - i);
    }
};

template <class Body>
ElementFunction pick(Isa isa) {
    return select<Body, const float*, const float*, float*, std::int64_t, const float*>(isa);
}

template <Unary F>
ElementFunction pick_unary(bool scalar, Isa isa) {
    return scalar ? pick<UnaryLoop<F, true>>(isa) : pick<UnaryLoop<F, false>>(isa);
}

template <Binary F>
ElementFunction pick_binary(bool scalar_a, bool scalar_b, Isa isa) {
    if (scalar_a) return scalar_b ? pick<BinaryLoop<F, true, true>>(isa) : pick<BinaryLoop<F, true, false>>(isa);
    return scalar_b ? pick<BinaryLoop<F, false, true>>(isa) : pick<BinaryLoop<F, false, false>>(isa);
}

template <std::size_t... I>
ElementFunction find_unary(Unary function, bool scalar, Isa isa, std::index_sequence<I...>) {
    ElementFunction found = nullptr;
    (void)((static_cast<std::size_t>(function) == I &&
            (found = pick_unary<static_cast<Unary>(I)>(scalar, isa)) != nullptr) ||
           ...);
    return found;
}

}  // namespace

ElementFunction find_function(Unary function, bool scalar, Isa isa) {
    return find_unary(function, scalar, isa, std::make_index_sequence<static_cast<std::size_t>(Unary::count)>{});
}

ElementFunction find_function(Binary function, bool scalar_a, bool scalar_b, Isa isa) {
    switch (function) {
        case Binary::add: return pick_binary<Binary::add>(scalar_a, scalar_b, isa);
        case Binary::sub: return pick_binary<Binary::sub>(scalar_a, scalar_b, isa);
        case Binary::mul: return pick_binary<Binary::mul>(scalar_a, scalar_b, isa);
        case Binary::div: return pick_binary<Binary::div>(scalar_a, scalar_b, isa);
        case Binary::prelu: return pick_binary<Binary::prelu>(scalar_a, scalar_b, isa);
    }
    return nullptr;
}

std::optional<Clamp> clamp_of(const UnaryCall& call) {
    if (call.function == Unary::relu) return Clamp{0, std::numeric_limits<float>::infinity()};
    if (call.function != Unary::hardtanh || !(call.parameters[0] <= call.parameters[1])) return std::nullopt;
    return Clamp{call.parameters[0], call.parameters[1]};
}

}  // namespace seq::cpu
