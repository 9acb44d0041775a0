#include <algorithm>

#include "graph/tensor.hpp"
#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/small/net.hpp"

namespace seq::cpu::small {

std::int64_t packed_floats(const Net& net, const Multiply& multiply) {
    if (multiply.dot_row > 0) return multiply.outputs * multiply.dot_row;
    const std::int64_t vectors = divide_up(multiply.outputs, net.lanes());
    if (multiply.transformed) return vectors * net.lanes() + multiply.transformed->problem.weight_floats();
    return vectors * net.lanes() * (static_cast<std::int64_t>(multiply.taps.size()) + 1);
}

void pack_weights(const Net& net, const Multiply& multiply, const float* weight, float* packed) {
    const std::int64_t lanes = net.lanes();
    const std::int64_t vectors = divide_up(multiply.outputs, lanes);
    const auto taps = static_cast<std::int64_t>(multiply.taps.size());
    if (multiply.dot_row > 0) {
        const std::int64_t row = multiply.dot_row;
        for (std::int64_t k = 0; k < multiply.outputs; ++k) {
            float* const target = packed + multiply.packed + k * row;
            std::fill_n(target, row, 0.0f);
            for (std::int64_t t = 0; t < taps; ++t)
                target[lanes + t] = weight[k * taps + multiply.taps[static_cast<std::size_t>(t)]];
        }
        return;
    }
    float* const weights = packed + multiply.packed + vectors * lanes;
    if (multiply.transformed) return winograd::pack_weights(multiply.transformed->problem, weight, weights);
    std::fill_n(weights, vectors * lanes * taps, 0.0f);
    for (std::int64_t k = 0; k < multiply.outputs; ++k) {
        const std::int64_t first = k / net.panel_outputs() * most_columns;
        const std::int64_t width = std::min<std::int64_t>(most_columns, vectors - first) * lanes;
        float* target = weights + first * taps * lanes + k - first * lanes;
        for (std::int64_t t = 0; t < taps; ++t)
            target[t * width] = weight[k * taps + multiply.taps[static_cast<std::size_t>(t)]];
    }
}

void pack_bias(const Net& net, const Multiply& multiply, const float* bias, float* packed) {
    const std::int64_t padded = round_up(multiply.outputs, net.lanes());
    float* const target = packed + multiply.packed;
    if (multiply.dot_row > 0) {
        for (std::int64_t k = 0; k < multiply.outputs; ++k)
            target[k * multiply.dot_row] = bias == nullptr ? 0 : bias[k];
        return;
    }
    std::fill_n(target, padded, 0.0f);
    if (bias != nullptr) std::copy_n(bias, multiply.outputs, target);
}

}  // namespace seq::cpu::small
