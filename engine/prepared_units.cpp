#include "engine/prepared_units.hpp"

#include <oneapi/tbb/parallel_for_each.h>
#include <oneapi/tbb/task_arena.h>

#include <functional>
#include <mutex>
#include <vector>

#include "engine/selection/enumerate.hpp"

namespace seq {
namespace {

/// Lets one thread at a time ask; what packs may ask in its turn.
class OneAtATime final : public WeightProvider {
   public:
    explicit OneAtATime(WeightProvider& weights) : weights_(weights) {}

    bool available(const Value& value) const override {
        const std::lock_guard lock(mutex_);
        return weights_.available(value);
    }
    TensorView view(const Value& value) override {
        const std::lock_guard lock(mutex_);
        return weights_.view(value);
    }
    std::shared_ptr<const Tensor> keep(const Value& value) override {
        const std::lock_guard lock(mutex_);
        return weights_.keep(value);
    }
    PackedWeights packed(const Value& value, const std::string& key,
                         const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes) override {
        const std::lock_guard lock(mutex_);
        return weights_.packed(value, key, pack, bytes);
    }
    PackedWeights packed_by_rows(const Value& value, const std::string& key,
                                 const std::function<PackedWeights(const WeightRows&)>& pack,
                                 std::size_t bytes) override {
        const std::lock_guard lock(mutex_);
        return weights_.packed_by_rows(value, key, pack, bytes);
    }
    PackedWeights uploaded(const DeviceRuntime& device, const Value& value, const std::string& key,
                           const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes) override {
        const std::lock_guard lock(mutex_);
        return weights_.uploaded(device, value, key, pack, bytes);
    }

   private:
    WeightProvider& weights_;
    mutable std::recursive_mutex mutex_;
};

}  // namespace

PreparedUnits prepare_units(const Selection& selection, const Backend& backend, ComputeOptions options,
                            WeightProvider& weights) {
    options.estimate = false;
    struct Task {
        const Choice* choice;
        PreparedUnit* made;
    };
    PreparedUnits prepared;
    std::vector<Task> tasks;
    for (const auto& [last, choice] : selection) {
        if (!choice.candidate().kernel.empty()) tasks.push_back({&choice, &prepared[last]});
    }
    OneAtATime shared(weights);
    oneapi::tbb::parallel_for_each(tasks.begin(), tasks.end(), [&](const Task& task) {
        // A thread that waits in one kernel's own loop is not to begin another: both might want the same primitive.
        oneapi::tbb::this_task_arena::isolate([&] {
            const Candidate& chosen = task.choice->candidate();
            task.made->kernel =
                prepare(task.choice->unit, chosen.kernel, chosen.offer, backend, options, shared, task.made->refusal);
        });
    });
    return prepared;
}

}  // namespace seq
