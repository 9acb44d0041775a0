#include "engine/selection/trial_weights.hpp"

#include <cstring>

#include "graph/tensor.hpp"

namespace seq {

void fill_trial(const TensorView& view) {
    const auto bytes = static_cast<std::size_t>(view.element_count()) * size_of(view.dtype);
    if (bytes == 0) return;
    if (view.dtype != DType::f32) {
        std::memset(view.data, 0, bytes);
        return;
    }
    auto* numbers = view.as<float>();
    std::uint32_t state = 1;
    for (std::int64_t i = 0; i < view.element_count(); ++i) {
        state = state * 1664525u + 1013904223u;  // Numerical Recipes, "quick and dirty" generator
        numbers[i] = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
    }
}

std::shared_ptr<const Tensor> TrialWeights::made(const Value& value) {
    if (value.kind == ValueKind::constant) return value.data;
    std::shared_ptr<const Tensor>& slot = kept_[&value];
    if (slot == nullptr) {
        auto tensor = std::make_shared<Tensor>(value.type.dtype, *value.type.shape.sizes());
        fill_trial(tensor->view());
        slot = std::move(tensor);
    }
    return slot;
}

std::shared_ptr<const Tensor> TrialWeights::keep(const Value& value) {
    auto tensor = made(value);
    used_.push_back({tensor, tensor->view().data, tensor->byte_count()});
    return tensor;
}

PackedWeights TrialWeights::packed(const Value& value, const std::string&,
                                   const std::function<PackedWeights(const TensorView&)>& pack, std::size_t) {
    return used_.emplace_back(pack(made(value)->view()));
}

void TrialWeights::each_used(const std::function<void(const void* data, std::size_t bytes)>& visit) const {
    for (const PackedWeights& weights : used_) visit(weights.data, weights.bytes);
}

}  // namespace seq
