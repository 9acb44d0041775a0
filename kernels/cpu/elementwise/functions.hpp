#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "graph/op.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu {

/// out[i] = f(a[i]) or f(a[i], b[i]) for i in [0, count); out may be a or b. Where an operand was said to be one
/// number, a[0] or b[0] stands for all.
using ElementFunction = void (*)(const float* a, const float* b, float* out, std::int64_t count,
                                 const float* parameters);

enum class Unary : std::uint8_t {
    copy,
    relu,
    leaky_relu,
    elu,
    selu,
    celu,
    gelu,
    gelu_tanh,
    silu,
    mish,
    sigmoid,
    log_sigmoid,
    hardsigmoid,
    hardswish,
    hardtanh,
    hardshrink,
    softshrink,
    tanhshrink,
    softplus,
    softsign,
    tanh,
    threshold,
    add,
    mul,
    div,
    count  ///< how many there are; no function
};

enum class Binary : std::uint8_t { add, sub, mul, div, prelu };

/// A function of one number and what it depends on.
struct UnaryCall {
    Unary function = Unary::copy;
    std::array<float, 2> parameters{};
};

/// nullopt where `op` is no function of one number.
std::optional<UnaryCall> unary_call(const Op& op);

/// What puts a number into [low, high], and keeps a NaN.
struct Clamp {
    float low;
    float high;
};
/// Where the call is ReLU or Hardtanh: the same as a clamp.
std::optional<Clamp> clamp_of(const UnaryCall& call);

/// nullopt where `op` does not combine tensors.
std::optional<Binary> binary_call(const Op& op);

ElementFunction find_function(Unary function, bool scalar, Isa isa);
ElementFunction find_function(Binary function, bool scalar_a, bool scalar_b, Isa isa);

}  // namespace seq::cpu
