#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "engine/plan.hpp"

namespace seq {

/// The plan that is fastest when measured: for the whole batch, for slices of it, or for slices through the first
/// nodes alone. The whole batch where samples depend on each other, where nothing is to be measured, or where there are
/// no weights to measure with. `graph` has its sizes bound. To be called in the arena that will run the plan. Throws as
/// make_plan does.
std::shared_ptr<Plan> make_batch_plan(const Graph& graph, const Bindings& bindings, const Backend& backend,
                                      const ComputeOptions& options, WeightProvider& weights, Tuning& tuning);

/// How a plan for a slice computes.
ComputeOptions slice_options(ComputeOptions options, const Slicing& slicing);

/// How many slices of `graph` are computed at a time.
int workers_of(const Graph& graph, const Slicing& slicing, int threads);

/// The model that a slice computes; nullopt where the graph cannot be sliced so. `graph` is one of independent samples.
std::optional<Graph> slice_of(const Graph& graph, const Slicing& slicing);

/// Calls `make` in the arena that will run plans for slices.
void in_slice_arena(const Slicing& slicing, const std::function<void()>& make);

/// One step that runs `slice` (a plan for slice_of(graph, slicing), with all nodes) again and again.
std::shared_ptr<Plan> make_sliced_plan(Graph graph, const Bindings& bindings, const Backend& backend,
                                       std::shared_ptr<Plan> slice, const Slicing& slicing, int threads);

/// The choice of a step that runs `slice`, a plan for the first nodes of `graph`.
Choice head_choice(const Graph& graph, const std::shared_ptr<Plan>& slice, const Slicing& slicing, int threads);

/// Says in the plan that `slice` is what its first step runs.
void attach_slice(Plan& plan, std::shared_ptr<Plan> slice, const Slicing& slicing, int threads);

}  // namespace seq
