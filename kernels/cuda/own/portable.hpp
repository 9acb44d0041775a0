#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

// What the .cu files are written with: nvcc compiles them for GPUs, and the C++ compiler for the host, where the tests
// run them.
#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#define SEQ_BODY __host__ __device__ __forceinline__
#define SEQ_BODY_CALL __host__ __device__ __noinline__
#define SEQ_UNROLL _Pragma("unroll")
#else
#include "graph/convert.hpp"
#define SEQ_BODY inline
#define SEQ_BODY_CALL inline
#define SEQ_UNROLL
#endif

namespace seq::cuda::own {

/// A float as it is kept in 16 bits.
struct Half {
    std::uint16_t bits;
};
struct BFloat {
    std::uint16_t bits;
};

SEQ_BODY float widen(float value) { return value; }
SEQ_BODY void narrow(float value, float& kept) { kept = value; }

#ifdef __CUDACC__
SEQ_BODY float widen(Half value) { return __half2float(__half(__half_raw{value.bits})); }
SEQ_BODY float widen(BFloat value) { return __bfloat162float(__nv_bfloat16(__nv_bfloat16_raw{value.bits})); }
SEQ_BODY void narrow(float value, Half& kept) { kept.bits = __half_raw(__float2half_rn(value)).x; }
SEQ_BODY void narrow(float value, BFloat& kept) { kept.bits = __nv_bfloat16_raw(__float2bfloat16_rn(value)).x; }
#else
inline float widen(Half value) { return f16_to_f32(value.bits); }
inline float widen(BFloat value) { return bf16_to_f32(value.bits); }
inline void narrow(float value, Half& kept) { kept.bits = f32_to_f16(value); }
inline void narrow(float value, BFloat& kept) { kept.bits = f32_to_bf16(value); }
#endif

/// How an operand of a program is kept.
enum class Storage : std::uint8_t { f32, f16, bf16 };

/// Calls `body` with a value of the type that holds it.
template <class F>
void with_storage(Storage storage, F&& body) {
    switch (storage) {
        case Storage::f32: return body(float{});
        case Storage::f16: return body(Half{});
        case Storage::bf16: return body(BFloat{});
    }
}

/// `N` elements that lie together, read or written at once.
template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
    T element[N];
};

template <int N, class T>
SEQ_BODY Pack<T, N> load_pack(const T* from) {
    return *reinterpret_cast<const Pack<T, N>*>(from);
}

template <int N, class T>
SEQ_BODY void widen(const Pack<T, N>& pack, float (&values)[N]) {
    SEQ_UNROLL
    for (int i = 0; i < N; ++i) values[i] = widen(pack.element[i]);
}

template <int N, class T>
SEQ_BODY void load(const T* from, float (&values)[N]) {
    widen(load_pack<N>(from), values);
}

template <int N, class T>
SEQ_BODY void store(T* to, const float (&values)[N]) {
    Pack<T, N> pack;
    SEQ_UNROLL
    for (int i = 0; i < N; ++i) narrow(values[i], pack.element[i]);
    *reinterpret_cast<Pack<T, N>*>(to) = pack;
}

template <class T>
SEQ_BODY float load_one(const T* from) {
    return widen(*from);
}

template <class T>
SEQ_BODY void store_one(T* to, float value) {
    narrow(value, *to);
}

SEQ_BODY float load_one(const void* data, Storage storage, std::int64_t at) {
    switch (storage) {
        case Storage::f32: return static_cast<const float*>(data)[at];
        case Storage::f16: return widen(static_cast<const Half*>(data)[at]);
        case Storage::bf16: return widen(static_cast<const BFloat*>(data)[at]);
    }
    return 0.0f;
}

/// As it is after it was kept so.
SEQ_BODY float rounded(float value, Storage storage) {
    Half half{};
    BFloat bfloat{};
    switch (storage) {
        case Storage::f32: return value;
        case Storage::f16: narrow(value, half); return widen(half);
        case Storage::bf16: narrow(value, bfloat); return widen(bfloat);
    }
    return value;
}

SEQ_BODY void store_one(void* data, Storage storage, std::int64_t at, float value) {
    switch (storage) {
        case Storage::f32: return store_one(static_cast<float*>(data) + at, value);
        case Storage::f16: return store_one(static_cast<Half*>(data) + at, value);
        case Storage::bf16: return store_one(static_cast<BFloat*>(data) + at, value);
    }
}

template <int N>
SEQ_BODY void load(const void* data, Storage storage, std::int64_t at, float (&values)[N]) {
    switch (storage) {
        case Storage::f32: return load<N>(static_cast<const float*>(data) + at, values);
        case Storage::f16: return load<N>(static_cast<const Half*>(data) + at, values);
        case Storage::bf16: return load<N>(static_cast<const BFloat*>(data) + at, values);
    }
}

template <int N>
SEQ_BODY void store(void* data, Storage storage, std::int64_t at, const float (&values)[N]) {
    switch (storage) {
        case Storage::f32: return store<N>(static_cast<float*>(data) + at, values);
        case Storage::f16: return store<N>(static_cast<Half*>(data) + at, values);
        case Storage::bf16: return store<N>(static_cast<BFloat*>(data) + at, values);
    }
}

/// The upper half of the product.
SEQ_BODY std::uint32_t high_product(std::uint32_t a, std::uint32_t b) {
#ifdef __CUDA_ARCH__
    return __umulhi(a, b);
#else
    return static_cast<std::uint32_t>(std::uint64_t{a} * b >> 32);
#endif
}

/// Divides positions by a size that stays the same: with one multiplication (Granlund and Montgomery, "Division by
/// Invariant Integers using Multiplication", 1994) where no position passes 2^31.
struct Divisor {
    std::int64_t size = 1;
    std::uint32_t multiplier = 0;
    std::uint32_t shift = 0;

    SEQ_BODY std::int64_t divide(std::int64_t position) const {
        if (size == 1) return position;
        if (multiplier == 0) return position / size;
        return high_product(static_cast<std::uint32_t>(position), multiplier) >> shift;
    }
    /// Leaves the quotient in `position`, and gives the remainder.
    SEQ_BODY std::int64_t split_off(std::int64_t& position) const {
        const std::int64_t quotient = divide(position), rest = position - quotient * size;
        position = quotient;
        return rest;
    }
};

/// A divisor of positions that are at most `largest`.
inline Divisor divisor(std::int64_t size, std::int64_t largest) {
    Divisor result;
    result.size = size;
    constexpr std::int64_t limit = std::int64_t{1} << 31;
    if (size <= 1 || size >= limit || largest >= limit) return result;
    std::uint32_t bits = 0;
    while ((std::int64_t{1} << bits) < size) ++bits;
    const auto divisor = static_cast<std::uint64_t>(size);
    result.multiplier = static_cast<std::uint32_t>(((std::uint64_t{1} << (31 + bits)) + divisor - 1) / divisor);
    result.shift = bits - 1;
    return result;
}

/// The most dimensions of a walk.
inline constexpr int max_dims = 8;

/// Positions in dimensions of these sizes, outermost first, counted in row-major order.
struct Space {
    int rank = 1;
    Divisor sizes[max_dims];

    /// The position in each dimension.
    SEQ_BODY void locate(std::int64_t position, std::int64_t (&at)[max_dims]) const {
        SEQ_UNROLL
        for (int d = max_dims - 1; d > 0; --d) {
            at[d] = 0;
            if (d >= rank) continue;
            const std::int64_t outer = sizes[d].divide(position);
            at[d] = position - outer * sizes[d].size;
            position = outer;
        }
        at[0] = position;
    }
};

/// How many elements further each dimension of a Space goes.
struct Strides {
    std::int64_t of[max_dims] = {};

    SEQ_BODY std::int64_t offset(const std::int64_t (&at)[max_dims], int rank) const {
        std::int64_t offset = 0;
        SEQ_UNROLL
        for (int d = 0; d < max_dims; ++d) {
            if (d < rank) offset += at[d] * of[d];
        }
        return offset;
    }
};

/// Positions of a Space as offsets in a tensor.
struct Walk {
    Space space;
    Strides strides;

    SEQ_BODY std::int64_t offset(std::int64_t position) const {
        if (space.rank == 1) return position * strides.of[0];
        std::int64_t at[max_dims];
        space.locate(position, at);
        return strides.offset(at, space.rank);
    }
};

/// Sets a number that is 0, and says whether it was. Of several that try one succeeds.
SEQ_BODY bool claim(std::uint64_t* number, std::uint64_t value) {
#ifdef __CUDA_ARCH__
    static_assert(sizeof(unsigned long long) == sizeof(std::uint64_t));
    return atomicCAS(reinterpret_cast<unsigned long long*>(number), 0ULL, value) == 0;
#else
    if (*number != 0) return false;
    *number = value;
    return true;
#endif
}

SEQ_BODY bool is_nan(float value) { return value != value; }
/// The larger one; NaN where either is.
SEQ_BODY float max_or_nan(float a, float b) { return a > b || is_nan(a) ? a : b; }
SEQ_BODY std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
SEQ_BODY std::int64_t most(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

}  // namespace seq::cuda::own
