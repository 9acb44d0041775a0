#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/selection/select.hpp"
#include "engine/slicing.hpp"
#include "graph/ir.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// Where a step finds one operand while it runs.
struct BufferRef {
    enum class Kind : std::uint8_t { none, arena, input, output, weight };
    Kind kind = Kind::none;
    std::size_t offset = 0;  ///< arena: bytes; input and output: the index
    const void* weight = nullptr;
    bool operator==(const BufferRef&) const = default;
};

/// Why a kernel that came before the chosen one was not taken.
struct Refusal {
    std::string kernel;
    std::string reason;
};

/// One call of a kernel.
struct Step {
    std::shared_ptr<const PreparedKernel> kernel;
    std::string kernel_name;
    std::vector<BufferRef> inputs;
    std::vector<BufferRef> outputs;
    /// What it computes, in topological order; empty for a reorder or a copy that the planner put in.
    std::vector<const Node*> nodes;
    /// What the kernel was offered.
    Offer offer;
    std::vector<Refusal> refusals;
    /// What was measured before this was chosen, itself included; empty where nothing was.
    std::vector<Candidate> candidates;
    /// The group that it runs, or that its node was measured in too; nullptr where none was measured.
    std::shared_ptr<const WeighedGroup> weighed;
};

/// One input or output as the plan computes: floats are f32, whatever the caller's dtype.
struct PlanPort {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::int64_t> sizes;
    /// Where it is not plain (Plan::free_outputs), dtype and sizes are those of the elements as they lie.
    Layout layout{};
};

/// The schedule for one binding of the symbols: immutable and shared by sessions.
struct Plan {
    Graph graph;  ///< sizes bound
    Bindings bindings;
    std::vector<PlanPort> inputs;
    std::vector<PlanPort> outputs;
    std::vector<Step> steps;
    std::size_t arena_bytes = 0;
    std::size_t scratch_bytes = 0;
    /// RunContext::nonfinite of every run, whatever its inputs: weights are extreme, or a node may divide by zero.
    bool careful = false;
    bool (*has_extreme)(const TensorView& tensor) = nullptr;
    /// Plain weights that steps read.
    std::vector<std::shared_ptr<const Tensor>> weights;
    /// On a device they are copies in its memory.
    std::vector<PackedWeights> device_weights;
    /// Values that are another's bytes under another shape.
    std::map<const Value*, const Value*> aliases;
    /// Joins without a step, whose parts are written side by side, and in which layout.
    std::map<const Value*, Layout> joined;
    /// Whether outputs are given in the layouts in which steps leave them, or else plain.
    bool free_outputs = false;
    /// Where samples are computed a slice at a time: how, the plan for one slice, and what its buffers take for all who
    /// compute at the same time. The first step here runs it; there are others where it is a plan for the first nodes.
    Slicing slicing;
    std::shared_ptr<Plan> slice;
    std::size_t slice_bytes = 0;
    /// When a session last used it, on the clock of its CompiledModel.
    mutable std::atomic<std::uint64_t> last_use = 0;

    /// How many steps run kernels.
    std::size_t kernel_steps() const {
        return slice == nullptr ? steps.size() : slice->steps.size() + steps.size() - 1;
    }
    /// What a session needs for it.
    std::size_t buffer_bytes() const { return arena_bytes + scratch_bytes + slice_bytes; }
    /// What the plan itself holds, for the cache's budget; packed weights are shared and not counted.
    std::size_t memory_bytes() const;
};

/// A plan without steps: its graph, inputs and outputs.
std::shared_ptr<Plan> describe_plan(Graph graph, const Bindings& bindings, const Backend& backend);

/// Fills a described plan: steps, as `selection` says, and memory.
void build_plan(Plan& plan, const Backend& backend, const ComputeOptions& options, WeightProvider& weights,
                const Selection& selection);

/// Chooses kernels and layouts for a graph with bound sizes, as `tuning` says, and lays out its memory. Throws
/// seq::Error where no kernel can run a node.
std::shared_ptr<Plan> make_plan(Graph graph, const Bindings& bindings, const Backend& backend,
                                const ComputeOptions& options, WeightProvider& weights, Tuning& tuning);

}  // namespace seq
