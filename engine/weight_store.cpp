#include "engine/weight_store.hpp"

#include <fmt/format.h>

#include "graph/convert_tensor.hpp"

namespace seq {
namespace {

std::span<std::byte> bytes_of(const Tensor& tensor) {
    return {static_cast<std::byte*>(tensor.view().data), tensor.byte_count()};
}

}  // namespace

bool WeightStore::available(const Value& value) const {
    if (value.kind == ValueKind::constant) return value.data != nullptr;
    return source_ != nullptr && source_->find(value.name) != nullptr;
}

const TensorView& WeightStore::inspected(const TensorView& view) {
    has_extreme_ = has_extreme_ || (is_extreme_ != nullptr && is_extreme_(view));
    return view;
}

Tensor WeightStore::read(const Value& value) {
    const WeightSource::Entry* entry = source_ == nullptr ? nullptr : source_->find(value.name);
    if (entry == nullptr) throw Error("weights/missing", fmt::format("there are no weights for `{}`", value.name));
    if (entry->sizes != *value.type.shape.sizes())
        throw Error("weights/shape",
                    fmt::format("`{}` does not have the shape {}", value.name, value.type.shape.to_string()));
    Tensor raw(entry->dtype, entry->sizes);
    source_->read(*entry, bytes_of(raw));
    if (entry->dtype == value.type.dtype) {
        inspected(raw);
        return raw;
    }
    Tensor converted(value.type.dtype, entry->sizes);
    if (!convert(raw.view(), converted.view()))
        throw Error("weights/dtype", fmt::format("`{}` is {}, which does not convert to {}", value.name,
                                                 name_of(entry->dtype), name_of(value.type.dtype)));
    inspected(converted);
    return converted;
}

TensorView WeightStore::view(const Value& value) {
    if (value.kind == ValueKind::constant) return inspected(value.data->view());
    if (const auto kept = kept_.find(value.name); kept != kept_.end()) {
        if (const auto tensor = kept->second.lock()) return tensor->view();
    }
    transient_ = read(value);
    return transient_.view();
}

std::shared_ptr<const Tensor> WeightStore::keep(const Value& value) {
    if (value.kind == ValueKind::constant) {
        inspected(*value.data);
        return value.data;
    }
    std::weak_ptr<const Tensor>& slot = kept_[value.name];
    if (auto tensor = slot.lock()) return tensor;
    auto tensor = std::make_shared<const Tensor>(read(value));
    slot = tensor;
    return tensor;
}

PackedWeights WeightStore::packed(const Value& value, const std::string& key,
                                  const std::function<PackedWeights(const TensorView&)>& pack) {
    const auto slot = std::make_pair(value.name, key);
    if (const auto found = packed_.find(slot); found != packed_.end()) return found->second;
    PackedWeights weights = pack(view(value));
    return packed_[slot] = std::move(weights);
}

void WeightStore::release_unused() {
    std::erase_if(packed_, [](const auto& slot) { return slot.second.owner.use_count() == 1; });
}

std::size_t WeightStore::held_bytes() const {
    std::size_t bytes = 0;
    for (const auto& [slot, weights] : packed_) bytes += weights.bytes;
    for (const auto& [name, tensor] : kept_) {
        if (const auto alive = tensor.lock()) bytes += alive->byte_count();
    }
    return bytes;
}

}  // namespace seq
