#include "kernels/cuda/own/fixed_chain_body.hpp"

namespace seq::cuda::own {

std::span<const FixedChain> fixed_sums() {
    using enum Unary;
    static constexpr FixedChain chains[] = {
        // A residual, with what comes before it or after it.
        chain<add_like>,
        chain<add_like, relu>,
        chain<relu, add_like>,
        chain<leaky_relu, add_like>,
        chain<silu, add_like>,
        chain<hardswish, add_like>,
        chain<gelu, add_like>,
        chain<mish, add_like>,
        // The bias that a transposed convolution, or a form without one, left.
        chain<add_anywhere>,
        chain<add_anywhere, relu>,
        chain<add_anywhere, leaky_relu>,
        chain<add_anywhere, hardtanh>,
        chain<add_anywhere, elu>,
        chain<add_anywhere, silu>,
        chain<add_anywhere, hardswish>,
        chain<add_anywhere, gelu>,
        chain<add_anywhere, gelu_tanh>,
        chain<add_anywhere, mish>,
        chain<add_anywhere, tanh>,
        chain<add_anywhere, sigmoid>,
        chain<add_anywhere, hardsigmoid>,
        chain<add_anywhere, prelu_anywhere>,
        chain<add_anywhere, add_like>,
        chain<add_anywhere, add_like, relu>,
        chain<prelu_anywhere>,
    };
    return chains;
}

}  // namespace seq::cuda::own
