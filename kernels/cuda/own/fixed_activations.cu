#include "kernels/cuda/own/fixed_chain_body.hpp"

namespace seq::cuda::own {

std::span<const FixedChain> fixed_activations() {
    using enum Unary;
    static constexpr FixedChain chains[] = {
        chain<relu>,
        chain<leaky_relu>,
        chain<hardtanh>,
        chain<elu>,
        chain<selu>,
        chain<silu>,
        chain<hardswish>,
        chain<gelu>,
        chain<gelu_tanh>,
        chain<mish>,
        chain<softplus>,
        chain<tanh>,
        chain<sigmoid>,
        chain<hardsigmoid>,
        // Arithmetic with numbers.
        chain<mul>,
        chain<add>,
        chain<mul, add>,
        chain<add, mul>,
    };
    return chains;
}

}  // namespace seq::cuda::own
