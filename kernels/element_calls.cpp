#include "kernels/element_calls.hpp"

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/dropout.hpp"

namespace seq {
namespace {

UnaryCall call(Unary function, double a = 0, double b = 0) {
    return {function, {static_cast<float>(a), static_cast<float>(b)}};
}

std::optional<UnaryCall> with_number(const ops::ArithmeticForm& form) {
    if (!form.other) return std::nullopt;
    switch (form.kind) {
        case ops::Arithmetic::add: return call(Unary::add, *form.other);
        case ops::Arithmetic::sub: return call(Unary::add, -*form.other);
        case ops::Arithmetic::mul: return call(Unary::mul, *form.other);
        case ops::Arithmetic::div: return call(Unary::div, *form.other);
    }
    return std::nullopt;
}

std::optional<UnaryCall> piecewise_linear(const Op& op) {
    if (op.is<ops::ReLU>()) return call(Unary::relu);
    if (op.is<ops::ReLU6>()) return call(Unary::hardtanh, 0, 6);
    if (const auto* leaky = op.as<ops::LeakyReLU>()) return call(Unary::leaky_relu, leaky->negative_slope);
    if (const auto* random = op.as<ops::RReLU>()) return call(Unary::leaky_relu, random->slope());
    if (op.is<ops::Hardsigmoid>()) return call(Unary::hardsigmoid);
    if (op.is<ops::Hardswish>()) return call(Unary::hardswish);
    if (const auto* clip = op.as<ops::Hardtanh>()) return call(Unary::hardtanh, clip->min_val, clip->max_val);
    if (const auto* shrink = op.as<ops::Hardshrink>()) return call(Unary::hardshrink, shrink->lambd);
    if (const auto* shrink = op.as<ops::Softshrink>()) return call(Unary::softshrink, shrink->lambd);
    if (const auto* step = op.as<ops::Threshold>()) return call(Unary::threshold, step->threshold, step->value);
    return std::nullopt;
}

std::optional<UnaryCall> smooth(const Op& op) {
    if (const auto* elu = op.as<ops::ELU>()) return call(Unary::elu, elu->alpha);
    if (const auto* celu = op.as<ops::CELU>()) return call(Unary::celu, celu->alpha);
    if (op.is<ops::SELU>()) return call(Unary::selu);
    if (const auto* gelu = op.as<ops::GELU>()) {
        return call(gelu->approximate == "tanh" ? Unary::gelu_tanh : Unary::gelu);
    }
    if (op.is<ops::SiLU>()) return call(Unary::silu);
    if (op.is<ops::Mish>()) return call(Unary::mish);
    if (op.is<ops::Sigmoid>()) return call(Unary::sigmoid);
    if (op.is<ops::LogSigmoid>()) return call(Unary::log_sigmoid);
    if (op.is<ops::Tanh>()) return call(Unary::tanh);
    if (op.is<ops::Tanhshrink>()) return call(Unary::tanhshrink);
    if (op.is<ops::Softsign>()) return call(Unary::softsign);
    if (const auto* plus = op.as<ops::Softplus>()) return call(Unary::softplus, plus->beta, plus->threshold);
    return std::nullopt;
}

}  // namespace

std::optional<UnaryCall> unary_call(const Op& op) {
    if (op.traits().identity_at_inference) return call(Unary::copy);
    if (const auto form = ops::arithmetic_form(op)) return with_number(*form);
    if (auto found = piecewise_linear(op)) return found;
    return smooth(op);
}

std::optional<Binary> binary_call(const Op& op) {
    if (op.is<ops::PReLU>()) return Binary::prelu;
    const auto form = ops::arithmetic_form(op);
    if (!form || form->other) return std::nullopt;
    switch (form->kind) {
        case ops::Arithmetic::add: return Binary::add;
        case ops::Arithmetic::sub: return Binary::sub;
        case ops::Arithmetic::mul: return Binary::mul;
        case ops::Arithmetic::div: return Binary::div;
    }
    return std::nullopt;
}

}  // namespace seq
