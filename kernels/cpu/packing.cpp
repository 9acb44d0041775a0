#include "kernels/cpu/packing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seq::cpu {

PackedWeights keep_tensor(std::shared_ptr<Tensor> tensor) {
    const void* const data = tensor->view().data;
    const std::size_t bytes = tensor->byte_count();
    return {std::move(tensor), data, bytes};
}

PackedWeights keep_floats(std::int64_t count, const std::function<void(float*)>& fill) {
    auto tensor = std::make_shared<Tensor>(DType::f32, std::initializer_list<std::int64_t>{count});
    fill(tensor->view().as<float>());
    return keep_tensor(std::move(tensor));
}

PackedWeights pack_bias(const Node& node, WeightProvider& provider, std::int64_t padded) {
    const Value* bias = node.parameter("bias");
    if (bias == nullptr) return keep_floats(padded, [&](float* values) { std::fill(values, values + padded, 0.0f); });
    if (!provider.available(*bias)) return {};
    const auto pack = [&](const TensorView& plain) {
        return keep_floats(padded, [&](float* values) {
            std::copy_n(plain.as<float>(), plain.element_count(), values);
            std::fill(values + plain.element_count(), values + padded, 0.0f);
        });
    };
    return provider.packed(*bias, fmt::format("padded to {}", padded), pack,
                           static_cast<std::size_t>(padded) * sizeof(float));
}

}  // namespace seq::cpu
