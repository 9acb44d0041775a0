#pragma once

#include <cstdint>

// Plain numbers alone, so that code for one instruction set or for GPUs can include them.
namespace seq {

enum class Unary : std::uint8_t {
    copy,
    relu,
    leaky_relu,  ///< parameter 0: slope
    elu,         ///< 0: alpha
    selu,
    celu,  ///< 0: alpha
    gelu,
    gelu_tanh,
    silu,
    mish,
    sigmoid,
    log_sigmoid,
    hardsigmoid,
    hardswish,
    hardtanh,    ///< from 0 to 1
    hardshrink,  ///< 0: lambd
    softshrink,  ///< 0: lambd
    tanhshrink,
    softplus,  ///< 0: beta, 1: threshold
    softsign,
    tanh,
    threshold,  ///< 0: threshold, 1: value
    add,        ///< 0
    mul,        ///< 0
    div,        ///< by 0
    count       ///< how many there are; no function
};

enum class Binary : std::uint8_t { add, sub, mul, div, prelu };

}  // namespace seq
