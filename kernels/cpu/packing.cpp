#include "kernels/cpu/packing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/cpu/large_pages.hpp"

namespace seq::cpu {

PackedWeights keep_bytes(std::size_t bytes, const std::function<void(void*)>& fill) {
    const auto memory = take_memory(bytes);
    fill(memory.get());
    return {memory, memory.get(), bytes};
}

PackedWeights keep_floats(std::int64_t count, const std::function<void(float*)>& fill) {
    return keep_bytes(static_cast<std::size_t>(count) * sizeof(float),
                      [&](void* data) { fill(static_cast<float*>(data)); });
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
