#include "graph/ops/linear.hpp"

#include "graph/ops/bilinear.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

template <class T>
double bias_at(const ReferenceCall& call, std::int64_t i) {
    const TensorView* bias = call.parameter("bias");
    return bias != nullptr ? static_cast<double>(bias->as<T>()[i]) : 0.0;
}

template <class T>
double dot(const T* a, const T* b, std::int64_t count) {
    double sum = 0;
    for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return sum;
}

void linear(const ReferenceCall& call) {
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const TensorView& weight = *call.parameter("weight");
        const std::int64_t outputs = weight.shape[0], inputs = weight.shape[1];
        const std::int64_t rows = call.outputs[0].element_count() / outputs;
        const T* x = call.inputs[0].as<const T>();
        T* y = call.outputs[0].as<T>();
        for (std::int64_t row = 0; row < rows; ++row, x += inputs)
            for (std::int64_t o = 0; o < outputs; ++o)
                *y++ = static_cast<T>(bias_at<T>(call, o) + dot(x, weight.as<const T>() + o * inputs, inputs));
    });
}

void bilinear(const ReferenceCall& call) {
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const TensorView& weight = *call.parameter("weight");
        const std::int64_t outputs = weight.shape[0], first = weight.shape[1], second = weight.shape[2];
        const std::int64_t rows = call.outputs[0].element_count() / outputs;
        const T* a = call.inputs[0].as<const T>();
        const T* b = call.inputs[1].as<const T>();
        T* y = call.outputs[0].as<T>();
        for (std::int64_t row = 0; row < rows; ++row, a += first, b += second) {
            const T* w = weight.as<const T>();
            for (std::int64_t o = 0; o < outputs; ++o) {
                double sum = bias_at<T>(call, o);
                for (std::int64_t i = 0; i < first; ++i, w += second)
                    sum += static_cast<double>(a[i]) * dot(w, b, second);
                *y++ = static_cast<T>(sum);
            }
        }
    });
}

}  // namespace

void add_linear(ReferenceTable& table) {
    table.add("Linear", linear);
    table.add("Bilinear", bilinear);
}

}  // namespace seq::reference
