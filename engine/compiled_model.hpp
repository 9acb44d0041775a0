#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/compile.hpp"
#include "engine/plan.hpp"
#include "engine/plan_file/contents.hpp"
#include "engine/weight_store.hpp"

namespace seq {

/// What an Executable shares: the optimised graph, the weights in one copy, and the plans made so far.
class CompiledModel {
   public:
    CompiledModel(const Graph& graph, const CompileOptions& options);
    /// On a backend that `options.device` need not name; for tests.
    CompiledModel(const Graph& graph, const CompileOptions& options, const Backend& backend);
    CompiledModel(std::shared_ptr<const plan_file::Contents> contents, const LoadOptions& options);

    const std::vector<Port>& inputs() const { return inputs_; }
    const std::vector<Port>& outputs() const { return outputs_; }
    const Graph& graph() const { return graph_; }
    const std::vector<std::string>& symbols() const { return symbols_; }
    const ComputeOptions& options() const { return options_; }
    std::size_t cache_bytes() const { return cache_bytes_; }
    std::size_t weight_bytes() const;
    const Backend& backend() const { return backend_; }
    const Device& device() const { return device_; }
    /// The file that it was loaded from; nullptr where it was compiled.
    const plan_file::Contents* contents() const { return contents_.get(); }

    /// The plan for these values of the symbols, in the order of symbols(). Thread-safe.
    std::shared_ptr<const Plan> plan(const std::vector<std::int64_t>& values);
    /// A session has used the plan without asking for it. Takes no lock.
    void touch(const Plan& plan) const {
        const std::uint64_t now = clock_.load(std::memory_order_relaxed) + 1;
        if (plan.last_use.load(std::memory_order_relaxed) != now) plan.last_use.store(now, std::memory_order_relaxed);
    }

    /// The plan for these values as a file will give it back: made from its record, with all weights that this takes
    /// added to `used`.
    struct Recorded {
        plan_file::PlanRecord record;
        std::shared_ptr<const Plan> plan;
    };
    Recorded record(const std::vector<std::int64_t>& values, StoredWeights& used);
    /// Adds the plain numbers of every parameter that is used.
    void keep_all(StoredWeights& used);
    /// Of those looked at so far.
    bool has_extreme_weights() const;

   private:
    struct Cached {
        std::vector<std::int64_t> values;
        std::shared_ptr<const Plan> plan;
    };
    std::shared_ptr<const Plan> make(const std::vector<std::int64_t>& values);
    std::shared_ptr<Plan> make_in_arena(const Graph& bound, const Bindings& bindings);
    std::shared_ptr<Plan> restore(const plan_file::PlanRecord& record, const Graph& bound, WeightProvider& weights);
    void keep_builds(const Plan& plan);
    /// Of what a plan runs otherwise than its record in the file says.
    void tell_of_others(const plan_file::PlanRecord& record, const Plan& plan) const;
    const plan_file::PlanRecord* find_record(const Bindings& bindings) const;
    void evict();

    std::shared_ptr<const plan_file::Contents> contents_;
    Graph graph_;
    std::vector<Port> inputs_;
    std::vector<Port> outputs_;
    std::vector<std::string> symbols_;
    ComputeOptions options_;
    Backend backend_;
    Device device_;
    std::size_t cache_bytes_ = 0;
    MemoryBudget budget_;
    mutable std::mutex mutex_;
    WeightStore weights_;
    BuildStore builds_;
    Tuning tuning_;
    /// As in LoadOptions.
    std::function<void(const std::string& reason)> on_planned_anew_;
    std::list<Cached> plans_;
    std::atomic<std::uint64_t> clock_ = 0;  // even: of the last plan asked for; a touch after it is one more
};

/// The bindings in the order of `symbols`. Throws Error shape/symbolic where one lacks a value.
std::vector<std::int64_t> values_of(const std::vector<std::string>& symbols, const Bindings& bindings);

}  // namespace seq
