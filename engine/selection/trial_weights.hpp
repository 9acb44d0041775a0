#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/memory_budget.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// Numbers for kernels that are prepared to be timed: small and without pattern, of each weight's type and sizes.
class TrialWeights final : public WeightProvider {
   public:
    explicit TrialWeights(MemoryBudget budget = {}) : budget_(std::move(budget)) {}

    bool available(const Value&) const override { return true; }
    TensorView view(const Value& value) override { return made(value)->view(); }
    std::shared_ptr<const Tensor> keep(const Value& value) override;
    PackedWeights packed(const Value& value, const std::string& key,
                         const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes = 0) override;

    /// Once for each value and key.
    PackedWeights uploaded(const DeviceRuntime& device, const Value& value, const std::string& key,
                           const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes = 0) override;

    /// Calls `visit` with all that was packed or kept plain since the last call of `start`.
    void each_used(const std::function<void(const void* data, std::size_t bytes)>& visit) const;
    void start() { used_.clear(); }

   private:
    std::shared_ptr<const Tensor> made(const Value& value);

    MemoryBudget budget_;
    std::map<const Value*, std::shared_ptr<const Tensor>> kept_;
    std::map<std::pair<const Value*, std::string>, PackedWeights> uploaded_;
    std::vector<PackedWeights> used_;
};

/// Fills floats with numbers between -1 and 1, and all else with zeros.
void fill_trial(const TensorView& view);

}  // namespace seq
