#include "graph/ops/activation.hpp"

#include <cmath>
#include <cstring>
#include <numbers>

#include "graph/ops/dropout.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
/// PyTorch's general form, of which ELU, CELU and SELU are members.
double elu(double x, double alpha, double scale, double input_scale) {
    return x < 0 ? alpha * scale * std::expm1(x * input_scale) : x * scale;
}

double apply(const ops::ReLU&, double x) { return x < 0 ? 0 : x; }
double apply(const ops::ReLU6&, double x) { return clamp(x, 0, 6); }
double apply(const ops::LeakyReLU& op, double x) { return x > 0 ? x : op.negative_slope * x; }
double apply(const ops::RReLU& op, double x) { return x >= 0 ? x : op.slope() * x; }
double apply(const ops::ELU& op, double x) { return elu(x, op.alpha, 1, 1); }
double apply(const ops::CELU& op, double x) { return elu(x, op.alpha, 1, 1 / op.alpha); }
double apply(const ops::SELU&, double x) { return elu(x, 1.6732632423543772, 1.0507009873554805, 1); }

double apply(const ops::GELU& op, double x) {
    if (op.approximate == "none") return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
    const double inner = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
    return 0.5 * x * (1 + std::tanh(inner));
}

double apply(const ops::SiLU&, double x) { return x * sigmoid(x); }
double apply(const ops::Mish&, double x) { return x * std::tanh(std::log1p(std::exp(x))); }
double apply(const ops::Sigmoid&, double x) { return sigmoid(x); }
double apply(const ops::LogSigmoid&, double x) { return (x < 0 ? x : 0) - std::log1p(std::exp(-std::abs(x))); }
double apply(const ops::Hardsigmoid&, double x) { return clamp(x + 3, 0, 6) / 6; }
double apply(const ops::Hardswish&, double x) { return x * clamp(x + 3, 0, 6) / 6; }
double apply(const ops::Hardtanh& op, double x) { return clamp(x, op.min_val, op.max_val); }

/// Bounds are compared in the tensor's type, so that an element that equals one is on the right side.
template <class T>
double apply(const ops::Hardshrink& op, T x) {
    const T lambd = static_cast<T>(op.lambd);
    return x >= -lambd && x <= lambd ? 0 : x;
}

double apply(const ops::Softshrink& op, double x) {
    if (std::isnan(x)) return x;
    return x > op.lambd ? x - op.lambd : x < -op.lambd ? x + op.lambd : 0;
}

double apply(const ops::Tanhshrink&, double x) { return x - std::tanh(x); }

double apply(const ops::Softplus& op, double x) {
    return op.beta * x > op.threshold ? x : std::log1p(std::exp(op.beta * x)) / op.beta;
}

double apply(const ops::Softsign&, double x) { return x / (1 + std::abs(x)); }
double apply(const ops::Tanh&, double x) { return std::tanh(x); }

template <class T>
double apply(const ops::Threshold& op, T x) {
    return x <= static_cast<T>(op.threshold) ? op.value : x;
}

template <class Op>
void map(const ReferenceCall& call) {
    const Op& op = call.fields<Op>();
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const T* x = call.inputs[0].as<const T>();
        T* y = call.outputs[0].as<T>();
        const std::int64_t count = call.inputs[0].element_count();
        for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<T>(apply(op, x[i]));
    });
}

void prelu(const ReferenceCall& call) {
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const TensorView& input = call.inputs[0];
        const TensorView& weight = *call.parameter("weight");
        const std::int64_t slopes = weight.shape[0], count = input.element_count();
        std::int64_t inner = 1;
        for (std::size_t i = 2; i < static_cast<std::size_t>(input.rank); ++i) inner *= input.shape[i];
        const T* x = input.as<const T>();
        T* y = call.outputs[0].as<T>();
        for (std::int64_t i = 0; i < count; ++i) {
            const T slope = weight.as<const T>()[slopes == 1 ? 0 : i / inner % slopes];
            y[i] = x[i] > 0 ? x[i] : slope * x[i];
        }
    });
}

void glu(const ReferenceCall& call) {
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const TensorView& output = call.outputs[0];
        std::int64_t dim = call.fields<ops::GLU>().dim;
        if (dim < 0) dim += output.rank;
        std::int64_t run = 1;
        for (auto i = static_cast<std::size_t>(dim); i < static_cast<std::size_t>(output.rank); ++i)
            run *= output.shape[i];
        const std::int64_t count = output.element_count();
        const T* x = call.inputs[0].as<const T>();
        T* y = output.as<T>();
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t a = i / run * 2 * run + i % run;
            y[i] = static_cast<T>(static_cast<double>(x[a]) * sigmoid(static_cast<double>(x[a + run])));
        }
    });
}

void copy(const ReferenceCall& call) {
    if (call.outputs[0].data != call.inputs[0].data)
        std::memcpy(call.outputs[0].data, call.inputs[0].data, call.inputs[0].byte_count());
}

template <class... Ops>
void add_maps(ReferenceTable& table) {
    (table.add(Ops::name, map<Ops>), ...);
}

}  // namespace

void add_activation(ReferenceTable& table) {
    using namespace ops;
    add_maps<ReLU, ReLU6, LeakyReLU, RReLU, ELU, CELU, SELU, GELU, SiLU, Mish, Sigmoid, LogSigmoid, Hardsigmoid,
             Hardswish, Hardtanh, Hardshrink, Softshrink, Tanhshrink, Softplus, Softsign, Tanh, Threshold>(table);
    table.add("PReLU", prelu);
    table.add("GLU", glu);
    for (const std::string_view name :
         {"Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"})
        table.add(name, copy);
}

}  // namespace seq::reference
