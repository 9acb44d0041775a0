#include "engine/selection/trial_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "graph/convert.hpp"
#include "graph/tensor.hpp"

namespace seq {

void fill_trial(const TensorView& view) {
    const auto bytes = static_cast<std::size_t>(view.element_count()) * size_of(view.dtype);
    if (bytes == 0) return;
    std::uint32_t state = 1;
    const auto next = [&state] {
        state = state * 1664525u + 1013904223u;  // Numerical Recipes, "quick and dirty" generator
        return static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
    };
    const std::int64_t count = view.element_count();
    switch (view.dtype) {
        case DType::f32: std::generate_n(view.as<float>(), count, next); break;
        case DType::f16: std::generate_n(view.as<std::uint16_t>(), count, [&] { return f32_to_f16(next()); }); break;
        case DType::bf16: std::generate_n(view.as<std::uint16_t>(), count, [&] { return f32_to_bf16(next()); }); break;
        default: std::memset(view.data, 0, bytes);
    }
}

namespace {

std::string measuring(const Value& value) {
    return fmt::format("measuring kernels for `{}` {} (not done without tuning)", value.name,
                       value.type.shape.to_string());
}

}  // namespace

std::shared_ptr<const Tensor> TrialWeights::made(const Value& value) {
    if (value.kind == ValueKind::constant) return value.data;
    std::shared_ptr<const Tensor>& slot = kept_[&value];
    if (slot == nullptr) {
        auto tensor = budget_.tensor(value.type.dtype, *value.type.shape.sizes(), measuring(value));
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
                                   const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes) {
    return used_.emplace_back(budget_.packed(bytes, measuring(value), [&] { return pack(made(value)->view()); }));
}

PackedWeights TrialWeights::uploaded(const DeviceRuntime& device, const Value& value, const std::string& key,
                                     const std::function<PackedWeights(const TensorView&)>& pack, std::size_t) {
    PackedWeights& weights = uploaded_[{&value, key}];
    if (weights.data != nullptr) return weights;
    return weights = copied_to(device, pack(made(value)->view()));
}

void TrialWeights::each_used(const std::function<void(const void* data, std::size_t bytes)>& visit) const {
    for (const PackedWeights& weights : used_) visit(weights.data, weights.bytes);
}

}  // namespace seq
