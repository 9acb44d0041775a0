#include <cmath>

#include "graph/ops/batch_norm.hpp"
#include "graph/ops/group_norm.hpp"
#include "graph/ops/instance_norm.hpp"
#include "graph/ops/layer_norm.hpp"
#include "graph/ops/local_response_norm.hpp"
#include "graph/ops/rms_norm.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

struct Statistics {
    double mean = 0;
    double variance = 0;  ///< biased
};

/// Of the `outer` runs of `inner` elements each that lie `stride` apart.
template <class T>
Statistics statistics(const T* x, std::int64_t outer, std::int64_t stride, std::int64_t inner) {
    const auto count = static_cast<double>(outer * inner);
    Statistics result;
    for (std::int64_t i = 0; i < outer; ++i)
        for (std::int64_t j = 0; j < inner; ++j) result.mean += static_cast<double>(x[i * stride + j]);
    result.mean /= count;
    for (std::int64_t i = 0; i < outer; ++i)
        for (std::int64_t j = 0; j < inner; ++j) {
            const double difference = static_cast<double>(x[i * stride + j]) - result.mean;
            result.variance += difference * difference;
        }
    result.variance /= count;
    return result;
}

/// Element `i` of a parameter, or what stands for it where there is none.
template <class T>
double element(const TensorView* parameter, std::int64_t i, double otherwise) {
    return parameter != nullptr ? static_cast<double>(parameter->as<T>()[i]) : otherwise;
}

template <class T>
Statistics running_statistics(const ReferenceCall& call, std::int64_t channel) {
    return {element<T>(call.parameter("running_mean"), channel, 0),
            element<T>(call.parameter("running_var"), channel, 1)};
}

/// y = (x - mean) / sqrt(variance + eps) · weight[channel] + bias[channel] for `inner` elements.
template <class T>
void normalize(const ReferenceCall& call, const T* x, T* y, std::int64_t inner, std::int64_t channel,
               const Statistics& of, double eps) {
    const double weight = element<T>(call.parameter("weight"), channel, 1);
    const double bias = element<T>(call.parameter("bias"), channel, 0);
    const double scale = 1 / std::sqrt(of.variance + eps);
    for (std::int64_t i = 0; i < inner; ++i)
        y[i] = static_cast<T>((static_cast<double>(x[i]) - of.mean) * scale * weight + bias);
}

/// [N, C, ...] as N runs of C channels of `inner` elements.
struct Channels {
    std::int64_t batch;
    std::int64_t channels;
    std::int64_t inner = 1;

    explicit Channels(const TensorView& view) : batch(view.shape[0]), channels(view.shape[1]) {
        for (const std::int64_t size : view.sizes().subspan(2)) inner *= size;
    }
};

template <int N>
void batch_norm(const ReferenceCall& call) {
    const auto& op = call.fields<ops::BatchNorm<N>>();
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const Channels shape(call.inputs[0]);
        const std::int64_t stride = shape.channels * shape.inner;
        for (std::int64_t c = 0; c < shape.channels; ++c) {
            const T* x = call.inputs[0].as<const T>() + c * shape.inner;
            T* y = call.outputs[0].as<T>() + c * shape.inner;
            const Statistics of = op.track_running_stats ? running_statistics<T>(call, c)
                                                         : statistics(x, shape.batch, stride, shape.inner);
            for (std::int64_t n = 0; n < shape.batch; ++n)
                normalize(call, x + n * stride, y + n * stride, shape.inner, c, of, op.eps);
        }
    });
}

template <int N>
void instance_norm(const ReferenceCall& call) {
    const auto& op = call.fields<ops::InstanceNorm<N>>();
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const Channels shape(call.inputs[0]);
        const T* x = call.inputs[0].as<const T>();
        T* y = call.outputs[0].as<T>();
        for (std::int64_t i = 0; i < shape.batch * shape.channels; ++i, x += shape.inner, y += shape.inner) {
            const std::int64_t c = i % shape.channels;
            const Statistics of =
                op.track_running_stats ? running_statistics<T>(call, c) : statistics(x, 1, 0, shape.inner);
            normalize(call, x, y, shape.inner, c, of, op.eps);
        }
    });
}

void group_norm(const ReferenceCall& call) {
    const auto& op = call.fields<ops::GroupNorm>();
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const Channels shape(call.inputs[0]);
        const std::int64_t per_group = shape.channels / op.num_groups;
        const T* x = call.inputs[0].as<const T>();
        T* y = call.outputs[0].as<T>();
        Statistics of;
        for (std::int64_t i = 0; i < shape.batch * shape.channels; ++i, x += shape.inner, y += shape.inner) {
            if (i % per_group == 0) of = statistics(x, 1, 0, per_group * shape.inner);
            normalize(call, x, y, shape.inner, i % shape.channels, of, op.eps);
        }
    });
}

std::int64_t normalized_count(const IntList& normalized_shape) {
    std::int64_t count = 1;
    for (const std::int64_t size : normalized_shape.values()) count *= size;
    return count;
}

void layer_norm(const ReferenceCall& call) {
    const auto& op = call.fields<ops::LayerNorm>();
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const std::int64_t inner = normalized_count(op.normalized_shape);
        const std::int64_t rows = call.inputs[0].element_count() / inner;
        const T* x = call.inputs[0].as<const T>();
        T* y = call.outputs[0].as<T>();
        for (std::int64_t row = 0; row < rows; ++row, x += inner, y += inner) {
            const Statistics of = statistics(x, 1, 0, inner);
            for (std::int64_t i = 0; i < inner; ++i) normalize(call, x + i, y + i, 1, i, of, op.eps);
        }
    });
}

void rms_norm(const ReferenceCall& call) {
    const auto& op = call.fields<ops::RMSNorm>();
    const double eps = op.eps_for(call.inputs[0].dtype);
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const std::int64_t inner = normalized_count(op.normalized_shape);
        const std::int64_t rows = call.inputs[0].element_count() / inner;
        const T* x = call.inputs[0].as<const T>();
        T* y = call.outputs[0].as<T>();
        for (std::int64_t row = 0; row < rows; ++row, x += inner, y += inner) {
            double squares = 0;
            for (std::int64_t i = 0; i < inner; ++i) squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
            const double scale = 1 / std::sqrt(squares / static_cast<double>(inner) + eps);
            for (std::int64_t i = 0; i < inner; ++i)
                y[i] = static_cast<T>(static_cast<double>(x[i]) * scale * element<T>(call.parameter("weight"), i, 1));
        }
    });
}

void local_response_norm(const ReferenceCall& call) {
    const auto& op = call.fields<ops::LocalResponseNorm>();
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const Channels shape(call.inputs[0]);
        const T* x = call.inputs[0].as<const T>();
        T* y = call.outputs[0].as<T>();
        const std::int64_t before = op.size / 2, after = op.size - before;
        for (std::int64_t n = 0; n < shape.batch; ++n)
            for (std::int64_t c = 0; c < shape.channels; ++c)
                for (std::int64_t i = 0; i < shape.inner; ++i) {
                    const std::int64_t first = std::max<std::int64_t>(c - before, 0);
                    const std::int64_t last = after > shape.channels - c ? shape.channels : c + after;
                    double squares = 0;
                    for (std::int64_t j = first; j < last; ++j) {
                        const auto value = static_cast<double>(x[(n * shape.channels + j) * shape.inner + i]);
                        squares += value * value;
                    }
                    const std::int64_t at = (n * shape.channels + c) * shape.inner + i;
                    const double mean = squares / static_cast<double>(op.size);
                    y[at] = static_cast<T>(static_cast<double>(x[at]) / std::pow(op.k + op.alpha * mean, op.beta));
                }
    });
}

}  // namespace

void add_norm(ReferenceTable& table) {
    table.add("BatchNorm1d", batch_norm<1>);
    table.add("BatchNorm2d", batch_norm<2>);
    table.add("BatchNorm3d", batch_norm<3>);
    table.add("InstanceNorm1d", instance_norm<1>);
    table.add("InstanceNorm2d", instance_norm<2>);
    table.add("InstanceNorm3d", instance_norm<3>);
    table.add("GroupNorm", group_norm);
    table.add("LayerNorm", layer_norm);
    table.add("RMSNorm", rms_norm);
    table.add("LocalResponseNorm", local_response_norm);
}

}  // namespace seq::reference
