#pragma once

#include <memory>

#include "engine/plan.hpp"

namespace seq {

/// A plan for a batch that is computed some samples at a time, so that what lies between layers stays in the caches.
struct Slicing {
    std::int64_t samples = 1;  ///< in a slice; they divide the batch
    bool apart = false;        ///< each thread takes slices by itself, or else all share each layer
    bool operator==(const Slicing&) const = default;
    std::string to_string() const;
};

/// The plan that is fastest when measured: for the whole batch, or for slices of it. The whole batch where samples
/// depend on each other, where nothing is to be measured, or where there are no weights to measure with. `graph` has
/// its sizes bound. To be called in the arena that will run the plan. Throws as make_plan does.
std::shared_ptr<Plan> make_batch_plan(const Graph& graph, const Bindings& bindings, const Backend& backend,
                                      const ComputeOptions& options, WeightProvider& weights, Tuning& tuning);

/// One step that runs `slice` (a plan for slicing.samples of `graph`'s samples) again and again.
std::shared_ptr<Plan> make_sliced_plan(Graph graph, const Bindings& bindings, const Backend& backend,
                                       std::shared_ptr<Plan> slice, const Slicing& slicing, int threads);

}  // namespace seq
