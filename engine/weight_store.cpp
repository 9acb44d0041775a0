#include "engine/weight_store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/convert_tensor.hpp"

namespace seq {
namespace {

std::span<std::byte> bytes_of(const Tensor& tensor) {
    return {static_cast<std::byte*>(tensor.view().data), tensor.byte_count()};
}

}  // namespace

bool WeightStore::available(const Value& value) const {
    if (value.kind == ValueKind::constant) return value.data != nullptr;
    return stored_ != nullptr || (source_ != nullptr && source_->find(value.name) != nullptr);
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

std::shared_ptr<const Tensor> WeightStore::stored_plain(const Value& value) const {
    const auto found = stored_->plain.find(value.name);
    if (found == stored_->plain.end())
        throw Error("plan/machine", fmt::format("the file does not hold `{}` as it is needed here", value.name));
    const Tensor& tensor = *found->second;
    const auto sizes = value.type.shape.sizes();
    if (tensor.dtype() != value.type.dtype || !sizes ||
        !std::equal(sizes->begin(), sizes->end(), tensor.sizes().begin(), tensor.sizes().end()))
        throw Error("plan/damaged", fmt::format("`{}` is of another type than the plan's", value.name));
    return found->second;
}

/// Nothing where the file does not hold it so.
PackedWeights WeightStore::stored_packed(const Value& value, const std::string& key, std::size_t bytes) const {
    if (stored_ == nullptr || bytes == 0 || value.kind == ValueKind::constant) return {};
    const auto found = stored_->packed.find({value.name, key});
    if (found == stored_->packed.end()) return {};
    if (found->second.bytes != bytes)
        throw Error("plan/damaged",
                    fmt::format("`{}` has {} bytes where {} are needed", value.name, found->second.bytes, bytes));
    return found->second;
}

TensorView WeightStore::view(const Value& value) {
    if (value.kind == ValueKind::constant) return inspected(value.data->view());
    if (stored_ != nullptr) return stored_plain(value)->view();
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
    if (stored_ != nullptr) {
        auto tensor = stored_plain(value);
        kept_[value.name] = tensor;
        return tensor;
    }
    std::weak_ptr<const Tensor>& slot = kept_[value.name];
    if (auto tensor = slot.lock()) return tensor;
    auto tensor = std::make_shared<const Tensor>(read(value));
    slot = tensor;
    return tensor;
}

PackedWeights WeightStore::packed(const Value& value, const std::string& key,
                                  const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes) {
    const bool constant = value.kind == ValueKind::constant;
    const Slot slot(constant ? std::string() : value.name, constant ? value.data : nullptr, key);
    if (const auto found = packed_.find(slot); found != packed_.end()) return found->second;
    PackedWeights weights = stored_packed(value, key, bytes);
    if (weights.data == nullptr) weights = pack(view(value));
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
