#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/memory_budget.hpp"
#include "engine/selection/candidate.hpp"
#include "engine/selection/timing_cache.hpp"
#include "engine/selection/unit.hpp"
#include "engine/selection/weighed_group.hpp"

namespace seq {

/// How much time goes into measuring what a plan is made of.
enum class Tune : std::uint8_t {
    none,  ///< nothing is measured or looked up: estimates decide
    fast,  ///< each distinct layer's candidates, some runs each
    full,  ///< more runs
};

/// Called before each measurement: how many are done, how many there are, and the layer that comes next; and at the
/// end, when all are done.
using TuningProgress = std::function<void(std::size_t done, std::size_t total, const std::string& layer)>;

/// A graph with the same nodes for fewer samples, or for fewer or more threads, whose candidates the cache holds.
struct Precedent {
    const Graph* graph = nullptr;
    ComputeOptions options;
    std::string name;
};

struct Tuning {
    Tune effort = Tune::none;
    TimingCache cache;
    TuningProgress progress;
    /// What took far longer than the best there is not measured here.
    std::optional<Precedent> precedent{};
    /// What measuring takes counts there.
    MemoryBudget budget{};
};

/// What runs a unit, and what else was thought of.
struct Choice {
    Unit unit;
    std::size_t chosen = 0;  ///< among `candidates`
    std::vector<Candidate> candidates;
    /// Set where the kernel is made already.
    std::shared_ptr<const PreparedKernel> kernel{};
    /// The group that it is, or that a node is in though it runs apart; nullptr: none was thought of.
    std::shared_ptr<const WeighedGroup> weighed{};
    const Candidate& candidate() const { return candidates[chosen]; }
};

/// What a selection is not free to choose, and how its graph runs.
struct Settled {
    /// What runs the first nodes, in their order; nullptr: nothing does yet.
    const Choice* head = nullptr;
    /// Whether outputs may lie as kernels leave them, or else are plain.
    bool free_outputs = false;
    /// The graph that this one is a part of, which runs with it; nullptr: none.
    const Graph* whole = nullptr;
    /// How many threads run the graph at a time, each by itself.
    int abreast = 1;
};

/// The units of a graph by their last nodes; views are left out, which have no step.
using Selection = std::map<const Node*, Choice>;

/// Chooses kernels and layouts for the whole graph (sizes bound) by measured times; empty where none are to be
/// measured, or where no kernel runs a node. To be called in the arena that will run the plan.
Selection select(const Graph& graph, const Backend& backend, const ComputeOptions& options, Tuning& tuning,
                 const Settled& settled = {});

}  // namespace seq
