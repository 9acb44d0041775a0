#pragma once

#include <cstdint>

#include "kernels/cpu/simd.hpp"

// Values that are kept as bf16: the upper half of an f32, rounded to the nearest, ties to even; a NaN stays one.
namespace seq::simd {

template <int N>
struct HalfLanes {
    typedef std::uint16_t Bits __attribute__((vector_size(N * 2)));
};
template <int N>
using HalfBits = typename HalfLanes<N>::Bits;

template <int N>
SEQ_INLINE Float<N> widen(HalfBits<N> half) {
    return bits_as<Float<N>>(__builtin_convertvector(half, Bits<N>) << 16);
}

template <int N>
SEQ_INLINE HalfBits<N> narrow(Float<N> value) {
    const Bits<N> bits = bits_as<Bits<N>>(value);
    const Bits<N> rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const Bits<N> quiet = (bits >> 16) | 0x40u;
    return __builtin_convertvector(value == value ? rounded : quiet, HalfBits<N>);
}

template <int N>
SEQ_INLINE Float<N> load(const std::uint16_t* from) {
    HalfBits<N> half;
    __builtin_memcpy(&half, from, sizeof half);
    return widen<N>(half);
}

template <int N>
SEQ_INLINE void store(std::uint16_t* to, Float<N> value) {
    const HalfBits<N> half = narrow<N>(value);
    __builtin_memcpy(to, &half, sizeof half);
}

template <int N>
SEQ_INLINE Float<N> load_part(const std::uint16_t* from, std::int64_t count) {
    alignas(64) std::uint16_t lanes[N] = {};
    for (std::int64_t i = 0; i < count; ++i) lanes[i] = from[i];
    return load<N>(lanes);
}

template <int N>
SEQ_INLINE void store_part(std::uint16_t* to, Float<N> value, std::int64_t count) {
    alignas(64) std::uint16_t lanes[N];
    store<N>(lanes, value);
    for (std::int64_t i = 0; i < count; ++i) to[i] = lanes[i];
}

}  // namespace seq::simd

namespace seq::cpu {

/// Between `count` numbers of f32 and of bf16; they do not overlap.
using WidenFunction = void (*)(const std::uint16_t* from, float* to, std::int64_t count);
using NarrowFunction = void (*)(const float* from, std::uint16_t* to, std::int64_t count);
WidenFunction find_widen(Isa isa);
NarrowFunction find_narrow(Isa isa);

}  // namespace seq::cpu
