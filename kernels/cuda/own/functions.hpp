#pragma once

#include "kernels/cuda/own/portable.hpp"
#include "kernels/element_function.hpp"

namespace seq::cuda::own {

SEQ_BODY float clamp(float x, float low, float high) { return x < low ? low : x > high ? high : x; }
SEQ_BODY float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
SEQ_BODY float elu(float x, float alpha, float scale, float input_scale) {
    return x < 0.0f ? alpha * scale * expm1f(x * input_scale) : x * scale;
}
/// log(1 + exp(x)), for all x.
SEQ_BODY float softplus(float x) { return (x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x))); }

SEQ_BODY float gelu_tanh(float x) {
    constexpr float sqrt_of_2_over_pi = 0.79788456080286535588f;
    return 0.5f * x * (1.0f + tanhf(sqrt_of_2_over_pi * (x + 0.044715f * x * x * x)));
}

SEQ_BODY float softshrink(float x, float lambd) {
    if (is_nan(x)) return x;
    return x > lambd ? x - lambd : x < -lambd ? x + lambd : 0.0f;
}

/// What is defined by pieces; NaN stays NaN, but where PyTorch's is not.
SEQ_BODY float piecewise(Unary function, float x, float a, float b) {
    switch (function) {
        case Unary::relu: return x < 0.0f ? 0.0f : x;
        case Unary::leaky_relu: return x > 0.0f ? x : a * x;
        case Unary::hardsigmoid: return clamp(x + 3.0f, 0.0f, 6.0f) / 6.0f;
        case Unary::hardswish: return x * (clamp(x + 3.0f, 0.0f, 6.0f) / 6.0f);
        case Unary::hardtanh: return clamp(x, a, b);
        case Unary::hardshrink: return x >= -a && x <= a ? 0.0f : x;
        case Unary::softshrink: return softshrink(x, a);
        case Unary::threshold: return x <= a ? b : x;
        case Unary::add: return x + a;
        case Unary::mul: return x * a;
        case Unary::div: return x / a;
        default: return x;
    }
}

SEQ_BODY float apply(Unary function, float x, float a, float b) {
    constexpr float sqrt_of_half = 0.70710678118654752440f;
    switch (function) {
        case Unary::elu: return elu(x, a, 1.0f, 1.0f);
        case Unary::celu: return elu(x, a, 1.0f, 1.0f / a);
        case Unary::selu: return elu(x, 1.6732632423543772f, 1.0507009873554805f, 1.0f);
        case Unary::gelu: return 0.5f * x * erfcf(-x * sqrt_of_half);
        case Unary::gelu_tanh: return gelu_tanh(x);
        case Unary::silu: return x * sigmoid(x);
        case Unary::mish: return x * tanhf(softplus(x));
        case Unary::sigmoid: return sigmoid(x);
        case Unary::log_sigmoid: return (x < 0.0f ? x : 0.0f) - log1pf(expf(-fabsf(x)));
        case Unary::tanhshrink: return x - tanhf(x);
        case Unary::softplus: return a * x > b ? x : softplus(a * x) / a;
        case Unary::softsign: return x / (1.0f + fabsf(x));
        case Unary::tanh: return tanhf(x);
        default: return piecewise(function, x, a, b);
    }
}

SEQ_BODY float apply(Binary function, float x, float y) {
    switch (function) {
        case Binary::add: return x + y;
        case Binary::sub: return x - y;
        case Binary::mul: return x * y;
        case Binary::div: return x / y;
        case Binary::prelu: return x > 0.0f ? x : y * x;
    }
    return x;
}

}  // namespace seq::cuda::own
