#pragma once

#include "engine/weight_store.hpp"

namespace seq::plan_file {

/// Passes on what a store gives, and keeps what was asked of it: the weights that a file of the plan has to hold.
class WeightRecorder final : public WeightProvider {
   public:
    WeightRecorder(WeightStore& store, StoredWeights& used) : store_(store), used_(used) {}

    bool available(const Value& value) const override { return store_.available(value); }
    TensorView view(const Value& value) override { return keep(value)->view(); }
    std::shared_ptr<const Tensor> keep(const Value& value) override {
        auto tensor = store_.keep(value);
        if (value.kind == ValueKind::parameter) used_.plain[value.name] = tensor;
        return tensor;
    }
    PackedWeights packed(const Value& value, const std::string& key,
                         const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes) override {
        if (value.kind != ValueKind::parameter) return store_.packed(value, key, pack, bytes);
        const PackedWeights weights = bytes == 0 ? PackedWeights{} : store_.packed(value, key, pack, bytes);
        // What is packed anew after loading, or declined to be, asks for plain numbers, perhaps of other weights too.
        if (weights.data == nullptr) return pack(view(value));
        used_.packed[{value.name, key}] = weights;
        return weights;
    }
    PackedWeights uploaded(const DeviceRuntime& device, const Value& value, const std::string& key,
                           const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes) override {
        const PackedWeights there = store_.uploaded(device, value, key, pack, bytes);
        if (value.kind != ValueKind::parameter) return there;
        const PackedWeights host = bytes == 0 ? PackedWeights{} : store_.packed(value, key, pack, bytes);
        if (host.data != nullptr)
            used_.packed[{value.name, key}] = host;
        else
            keep(value);
        return there;
    }

   private:
    WeightStore& store_;
    StoredWeights& used_;
};

}  // namespace seq::plan_file
