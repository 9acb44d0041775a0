#pragma once

#include "kernels/cpu/simd.hpp"
#include "kernels/cpu/winograd/routines.hpp"

namespace seq::cpu::winograd {
namespace {

/// What follows the convolution, for one block of channels.
template <class Simd>
struct Finish {
    using Vector = typename Simd::Vector;
    Vector bias, low, high;

    SEQ_INLINE Finish(const Epilogue& epilogue, std::int64_t block)
        : bias(epilogue.bias == nullptr ? Vector{} : Simd::load(epilogue.bias + block * Simd::lanes)),
          low(Simd::splat(epilogue.low)),
          high(Simd::splat(epilogue.high)) {}
    SEQ_INLINE Vector operator()(Vector value) const { return Simd::clamp(value + bias, low, high); }
    SEQ_INLINE Vector operator()(Vector value, Vector residual) const {
        return Simd::clamp(value + bias + residual, low, high);
    }
};

}  // namespace
}  // namespace seq::cpu::winograd
