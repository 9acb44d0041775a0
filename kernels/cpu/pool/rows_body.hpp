#pragma once

#include "kernels/cpu/pool/pixel_rows_body.hpp"
#include "kernels/cpu/pool/plane_rows_body.hpp"
#include "kernels/cpu/pool/rows.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu {
namespace {

template <PoolMode M, class In, class Out>
PoolRows rows_of(bool planes) {
    return planes ? plane_rows<M, In, Out> : pixel_rows<M, In, Out>;
}

template <PoolMode M>
PoolRows rows_of(PoolNumbers kept, bool planes) {
    switch (kept) {
        case PoolNumbers::f32: break;
        case PoolNumbers::bf16: return rows_of<M, std::uint16_t, std::uint16_t>(planes);
        case PoolNumbers::bf16_to_f32: return rows_of<M, std::uint16_t, float>(planes);
    }
    return rows_of<M, float, float>(planes);
}

inline PoolRows find_rows(PoolMode mode, PoolNumbers kept, bool planes) {
    switch (mode) {
        case PoolMode::largest: return rows_of<PoolMode::largest>(kept, planes);
        case PoolMode::mean: return rows_of<PoolMode::mean>(kept, planes);
        case PoolMode::root_of_squares: break;
    }
    return rows_of<PoolMode::root_of_squares>(kept, planes);
}

}  // namespace
}  // namespace seq::cpu
