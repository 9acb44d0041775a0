#include "kernels/cuda/cudnn/activation.hpp"

#include "graph/ops/activation.hpp"

namespace seq::cuda {
namespace {

using Function = PointwiseFunction;

/// cuDNN's softplus has no threshold above which x itself is given; from 20 on f32 does not tell them apart.
std::optional<Function> softplus(const ops::Softplus& op) {
    constexpr double least_threshold = 20;
    if (op.threshold < least_threshold || op.beta <= 0) return std::nullopt;
    return Function::softplus(static_cast<float>(op.beta));
}

std::optional<Function> rectifier(const Op& op) {
    if (op.is<ops::ReLU>()) return Function::relu();
    if (op.is<ops::ReLU6>()) return Function::clip(0, 6);
    if (const auto* leaky = op.as<ops::LeakyReLU>())
        return Function::leaky_relu(static_cast<float>(leaky->negative_slope));
    if (const auto* leaky = op.as<ops::RReLU>()) return Function::leaky_relu(static_cast<float>(leaky->slope()));
    if (const auto* clip = op.as<ops::Hardtanh>())
        return Function::clip(static_cast<float>(clip->min_val), static_cast<float>(clip->max_val));
    return std::nullopt;
}

}  // namespace

std::optional<PointwiseFunction> pointwise_of(const Op& op) {
    if (auto function = rectifier(op)) return function;
    if (const auto* elu = op.as<ops::ELU>()) return Function::elu(static_cast<float>(elu->alpha));
    // The same as ELU where it does not scale its argument.
    if (const auto* celu = op.as<ops::CELU>(); celu != nullptr && celu->alpha == 1) return Function::elu(1);
    if (const auto* gelu = op.as<ops::GELU>())
        return gelu->approximate == "tanh" ? Function::gelu_tanh() : Function::gelu();
    if (op.is<ops::SiLU>()) return Function::swish();
    if (op.is<ops::Sigmoid>()) return Function::sigmoid();
    if (op.is<ops::Tanh>()) return Function::tanh();
    if (const auto* plus = op.as<ops::Softplus>()) return softplus(*plus);
    return std::nullopt;
}

}  // namespace seq::cuda
