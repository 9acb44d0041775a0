#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/plan.hpp"

namespace seq {

/// What plans are made of, besides a graph.
struct PlanContext {
    const Bindings& bindings;
    const Backend& backend;
    const ComputeOptions& options;
    WeightProvider& weights;
    Tuning& tuning;
};

/// Finds how a batch of independent samples is computed fastest: plans for slices of the whole model and for the whole
/// batch are made and profiled, node by node; where a slice is faster up to some node and the whole batch from there
/// on, a plan of both is made too; and the best of them are measured in turn.
class SliceSearch {
   public:
    SliceSearch(const Graph& graph, std::int64_t samples, const PlanContext& context)
        : graph_(graph), samples_(samples), context_(context) {}
    SliceSearch(const SliceSearch&) = delete;
    ~SliceSearch() { context_.tuning.precedent.reset(); }

    std::shared_ptr<Plan> best();

   private:
    /// What a plan takes, in microseconds for the whole batch.
    struct Trial {
        Slicing slicing;
        std::shared_ptr<Plan> plan;
        double time = 0;
        /// Of each node, in the graph's order.
        std::vector<double> nodes{};
    };

    /// What was found before; nullptr where there is nothing.
    std::shared_ptr<Plan> known(const std::string& key);
    std::shared_ptr<Plan> make(const Slicing& slicing);
    std::shared_ptr<Plan> make_slice(const Slicing& slicing);
    /// A plan whose first nodes are computed in slices; nullptr where the others cannot be measured.
    std::shared_ptr<Plan> make_head(const Slicing& slicing);
    bool is_whole(const Slicing& slicing) const { return slicing.samples == samples_; }
    void try_slicing(const Slicing& slicing);
    std::optional<Precedent> precedent_of(const Slicing& slicing) const;
    void try_heads();
    /// Where slices had best pass their values on to the whole batch; nullopt: nowhere. `trial` is one of slices.
    std::optional<Trial> best_head(const Trial& trial, const Trial& whole) const;
    Trial fastest();

    const Graph& graph_;
    std::int64_t samples_;
    PlanContext context_;
    std::vector<Trial> trials_;
};

}  // namespace seq
