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
        PackedWeights weights = store_.packed(value, key, pack, bytes);
        if (value.kind != ValueKind::parameter) return weights;
        // What declines to pack looks at the numbers to do so, and will again.
        if (bytes == 0 || weights.data == nullptr) {
            keep(value);
        } else {
            used_.packed[{value.name, key}] = weights;
        }
        return weights;
    }

   private:
    WeightStore& store_;
    StoredWeights& used_;
};

}  // namespace seq::plan_file
