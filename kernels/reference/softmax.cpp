#include "graph/ops/softmax.hpp"

#include <cmath>

#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

/// The dimensions before, at and after the one that sums to 1.
struct Axis {
    std::int64_t outer = 1;
    std::int64_t size = 1;
    std::int64_t inner = 1;

    Axis(const TensorView& view, std::int64_t dim) {
        if (dim < 0) dim += view.rank;
        for (int i = 0; i < view.rank; ++i) {
            const std::int64_t extent = view.shape[static_cast<std::size_t>(i)];
            (i < dim ? outer : i == dim ? size : inner) *= extent;
        }
    }
};

/// y = exp(sign·x) / sum, or its logarithm.
template <class T>
void softmax_line(const T* x, T* y, const Axis& axis, double sign, bool logarithm) {
    const auto value = [&](std::int64_t i) { return sign * static_cast<double>(x[i * axis.inner]); };
    double largest = value(0);
    for (std::int64_t i = 1; i < axis.size; ++i) largest = std::max(largest, value(i));
    double sum = 0;
    for (std::int64_t i = 0; i < axis.size; ++i) sum += std::exp(value(i) - largest);
    for (std::int64_t i = 0; i < axis.size; ++i) {
        const double distance = value(i) - largest;
        y[i * axis.inner] = static_cast<T>(logarithm ? distance - std::log(sum) : std::exp(distance) / sum);
    }
}

void run_softmax(const ReferenceCall& call, std::int64_t dim, double sign, bool logarithm) {
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const Axis axis(call.inputs[0], dim);
        for (std::int64_t outer = 0; outer < axis.outer; ++outer)
            for (std::int64_t inner = 0; inner < axis.inner; ++inner) {
                const std::int64_t first = outer * axis.size * axis.inner + inner;
                softmax_line(call.inputs[0].as<const T>() + first, call.outputs[0].as<T>() + first, axis, sign,
                             logarithm);
            }
    });
}

template <class Op>
std::int64_t dim_of(const ReferenceCall& call) {
    const auto& dim = call.fields<Op>().dim;
    return dim ? *dim : ops::implicit_softmax_dim(call.inputs[0].rank);
}

}  // namespace

void add_softmax(ReferenceTable& table) {
    table.add("Softmax", [](const ReferenceCall& call) { run_softmax(call, dim_of<ops::Softmax>(call), 1, false); });
    table.add("Softmin", [](const ReferenceCall& call) { run_softmax(call, dim_of<ops::Softmin>(call), -1, false); });
    table.add("LogSoftmax",
              [](const ReferenceCall& call) { run_softmax(call, dim_of<ops::LogSoftmax>(call), 1, true); });
    table.add("Softmax2d", [](const ReferenceCall& call) { run_softmax(call, -3, 1, false); });
}

}  // namespace seq::reference
