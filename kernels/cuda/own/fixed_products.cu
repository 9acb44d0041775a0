#include "kernels/cuda/own/fixed_chain_body.hpp"

namespace seq::cuda::own {

std::span<const FixedChain> fixed_products() {
    using enum Unary;
    static constexpr FixedChain chains[] = {
        chain<mul_like>,
        // A gate for each channel, or for each element, with what makes it one.
        chain<mul_anywhere>,
        chain<sigmoid, mul_like>,
        chain<hardsigmoid, mul_like>,
        chain<silu, mul_like>,
        chain<gelu, mul_like>,
        chain<mul_anywhere, add_like>,
        // Scale and shift, and the other way round.
        chain<mul_anywhere, add_anywhere>,
        chain<mul_anywhere, add_anywhere, relu>,
        chain<sub_anywhere>,
        chain<div_anywhere>,
        chain<sub_anywhere, div_anywhere>,
        // The scores of an attention, and a mask.
        chain<mul, add_anywhere>,
    };
    return chains;
}

}  // namespace seq::cuda::own
