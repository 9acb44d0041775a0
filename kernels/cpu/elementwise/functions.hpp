#pragma once

#include <cstdint>
#include <optional>

#include "kernels/element_calls.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu {

/// out[i] = f(a[i]) or f(a[i], b[i]) for i in [0, count); out may be a or b. Where an operand was said to be one
/// number, a[0] or b[0] stands for all.
using ElementFunction = void (*)(const float* a, const float* b, float* out, std::int64_t count,
                                 const float* parameters);

/// What puts a number into [low, high], and keeps a NaN.
struct Clamp {
    float low;
    float high;
};
/// Where the call is ReLU or Hardtanh: the same as a clamp.
std::optional<Clamp> clamp_of(const UnaryCall& call);

ElementFunction find_function(Unary function, bool scalar, Isa isa);
ElementFunction find_function(Binary function, bool scalar_a, bool scalar_b, Isa isa);

}  // namespace seq::cpu
