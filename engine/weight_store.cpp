#include "engine/weight_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

#include "graph/convert_tensor.hpp"
#include "kernels/cpu/large_pages.hpp"

namespace seq {
namespace {

std::span<std::byte> bytes_of(const Tensor& tensor) {
    return {static_cast<std::byte*>(tensor.view().data), tensor.byte_count()};
}

std::string reading(const std::string& name) { return fmt::format("reading `{}`", name); }
std::string packing(const Value& value) {
    return fmt::format("packing `{}` {}", value.name, value.type.shape.to_string());
}

/// Reads them part by part, each of which is looked through while it is in the caches.
class RowsInSource final : public WeightRows {
   public:
    RowsInSource(const WeightSource& source, const WeightSource::Entry& entry, bool (*is_extreme)(const TensorView&),
                 const MemoryBudget& budget)
        : WeightRows(entry.sizes),
          source_(source),
          entry_(entry),
          is_extreme_(is_extreme),
          rooms_(budget.claim(0, {})) {}

    Rows read(std::int64_t first, std::int64_t count, std::vector<float>& room) const override {
        constexpr std::size_t part = 65536;
        const auto begin = static_cast<std::size_t>(first * length()),
                   floats = static_cast<std::size_t>(count * length());
        if (room.size() < floats) make_room(room, floats);
        bool extreme = false;
        for (std::size_t at = 0; at < floats; at += part) {
            const std::span<float> some = std::span(room).subspan(at, std::min(part, floats - at));
            source_.read_part(entry_, (begin + at) * sizeof(float), std::as_writable_bytes(some));
            const std::array sizes{static_cast<std::int64_t>(some.size())};
            const TensorView view = TensorView::dense(some.data(), DType::f32, sizes);
            extreme = extreme || (is_extreme_ != nullptr && is_extreme_(view));
        }
        if (extreme) has_extreme_ = true;
        return {room.data(), is_extreme_ == nullptr ? std::nullopt : std::optional(extreme)};
    }
    bool has_extreme() const { return has_extreme_; }

   private:
    void make_room(std::vector<float>& room, std::size_t floats) const {
        {
            const std::lock_guard lock(mutex_);
            rooms_.resize(rooms_.bytes() + (floats - room.size()) * sizeof(float), reading(entry_.name));
        }
        room = {};
        room.resize(floats);
    }

    const WeightSource& source_;
    const WeightSource::Entry& entry_;
    bool (*is_extreme_)(const TensorView&);
    mutable std::mutex mutex_;
    mutable MemoryBudget::Claim rooms_;
    mutable std::atomic<bool> has_extreme_ = false;
};

}  // namespace

bool WeightStore::available(const Value& value) const {
    if (value.kind == ValueKind::constant) return value.data != nullptr;
    return stored_ != nullptr || (source_ != nullptr && source_->find(value.name) != nullptr);
}

const TensorView& WeightStore::inspected(const TensorView& view) {
    has_extreme_ = has_extreme_ || (is_extreme_ != nullptr && is_extreme_(view));
    return view;
}

const WeightSource::Entry& WeightStore::entry_of(const Value& value) const {
    const WeightSource::Entry* entry = source_ == nullptr ? nullptr : source_->find(value.name);
    if (entry == nullptr) throw Error("weights/missing", fmt::format("there are no weights for `{}`", value.name));
    if (entry->sizes != *value.type.shape.sizes())
        throw Error("weights/shape",
                    fmt::format("`{}` does not have the shape {}", value.name, value.type.shape.to_string()));
    return *entry;
}

void WeightStore::read(const Value& value, std::span<std::byte> out) {
    const WeightSource::Entry& entry = entry_of(value);
    const TensorView target = TensorView::dense(out.data(), value.type.dtype, entry.sizes);
    if (entry.dtype == value.type.dtype) {
        source_->read(entry, out);
    } else {
        const auto raw = budget_.tensor(entry.dtype, entry.sizes, reading(entry.name));
        source_->read(entry, bytes_of(*raw));
        if (!convert(raw->view(), target))
            throw Error("weights/dtype", fmt::format("`{}` is {}, which does not convert to {}", value.name,
                                                     name_of(entry.dtype), name_of(value.type.dtype)));
    }
    inspected(target);
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
    const Placed plain = place(value, Layout::plain());
    const auto bytes = static_cast<std::size_t>(plain.byte_count());
    if (bytes > transient_claim_.bytes() || transient_ == nullptr) {
        release_transient();
        transient_claim_ = budget_.claim(bytes, reading(value.name));
        transient_ = cpu::take_untouched_memory(bytes);
    }
    read(value, {static_cast<std::byte*>(transient_.get()), bytes});
    return TensorView::dense(transient_.get(), value.type.dtype, plain.sizes);
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
    auto tensor = budget_.tensor(value.type.dtype, entry_of(value).sizes, reading(value.name));
    read(value, bytes_of(*tensor));
    slot = tensor;
    return tensor;
}

WeightStore::Slot WeightStore::slot_of(const Value& value, const std::string& key) {
    const bool constant = value.kind == ValueKind::constant;
    return {constant ? std::string() : value.name, constant ? value.data : nullptr, key};
}

PackedWeights WeightStore::packed_once(const Value& value, const std::string& key, std::size_t bytes,
                                       const std::function<PackedWeights()>& pack) {
    const Slot slot = slot_of(value, key);
    if (const auto found = packed_.find(slot); found != packed_.end()) return found->second;
    PackedWeights weights = stored_packed(value, key, bytes);
    if (weights.data == nullptr) weights = budget_.packed(bytes, packing(value), pack);
    return packed_[slot] = std::move(weights);
}

PackedWeights WeightStore::packed(const Value& value, const std::string& key,
                                  const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes) {
    return packed_once(value, key, bytes, [&] { return pack(view(value)); });
}

PackedWeights WeightStore::packed_by_rows(const Value& value, const std::string& key,
                                          const std::function<PackedWeights(const WeightRows&)>& pack,
                                          std::size_t bytes) {
    const bool in_memory = value.kind == ValueKind::constant || stored_ != nullptr || source_ == nullptr ||
                           kept_.contains(value.name) || value.type.dtype != DType::f32;
    const auto* entry = in_memory ? nullptr : &entry_of(value);
    if (entry == nullptr || entry->dtype != DType::f32 || !source_->read_part(*entry, 0, {}))
        return WeightProvider::packed_by_rows(value, key, pack, bytes);
    return packed_once(value, key, bytes, [&] {
        const RowsInSource rows(*source_, *entry, is_extreme_, budget_);
        PackedWeights weights = pack(rows);
        has_extreme_ = has_extreme_ || rows.has_extreme();
        return weights;
    });
}

PackedWeights WeightStore::uploaded(const DeviceRuntime& device, const Value& value, const std::string& key,
                                    const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes) {
    const Slot slot = slot_of(value, key);
    if (const auto found = uploaded_.find(slot); found != uploaded_.end()) return found->second.weights;
    PackedWeights host = stored_packed(value, key, bytes);
    if (host.data == nullptr) host = pack(view(value));
    return (uploaded_[slot] = {copied_to(device, host)}).weights;
}

std::set<const void*> WeightStore::settled() const {
    std::set<const void*> addresses;
    for (const auto& [slot, uploaded] : uploaded_) {
        if (uploaded.settled) addresses.insert(uploaded.weights.data);
    }
    return addresses;
}

void WeightStore::settle(const MovedWeights& moved) {
    for (auto& [slot, uploaded] : uploaded_) {
        uploaded.settled = true;
        PackedWeights& weights = uploaded.weights;
        if (const auto to = moved.find(weights.data); to != moved.end())
            weights = {to->second, to->second.get(), weights.bytes};
    }
}

void WeightStore::release_unused() {
    std::erase_if(packed_, [](const auto& slot) { return slot.second.owner.use_count() == 1; });
    std::erase_if(uploaded_, [](const auto& slot) { return slot.second.weights.owner.use_count() == 1; });
}

std::size_t WeightStore::held_bytes() const {
    std::size_t bytes = 0;
    for (const auto& [slot, weights] : packed_) bytes += weights.bytes;
    for (const auto& [slot, uploaded] : uploaded_) bytes += uploaded.weights.bytes;
    for (const auto& [name, tensor] : kept_) {
        if (const auto alive = tensor.lock()) bytes += alive->byte_count();
    }
    return bytes;
}

}  // namespace seq
