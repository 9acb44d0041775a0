#pragma once

#include <memory>

#include "kernels/cuda/cudnn/engine.hpp"
#include "kernels/kernel.hpp"

namespace seq::cuda {

/// A finalised plan: an engine and all it needs to run a graph. Where it was made with a graph it keeps that.
/// `cudnn` and what `target` refers to have to outlive it.
class Plan {
   public:
    /// Finalises the choice. Throws CudnnError where cuDNN does not.
    Plan(const Cudnn& cudnn, std::shared_ptr<const OperationGraph> graph, EngineChoice choice,
         const PlanTarget& target);
    /// From what `serialised` gave. Throws CudnnError where this cuDNN or device is another one.
    Plan(const Cudnn& cudnn, std::string_view json, std::string engine, const PlanTarget& target);

    const Descriptor& descriptor() const { return descriptor_; }
    /// Bytes that it needs for a run.
    std::int64_t workspace() const { return workspace_; }
    /// EngineChoice::text of its engine.
    const std::string& engine() const { return engine_; }
    /// Whether it is cuDNN's engine 0, which takes whatever convolution there is, and is slow.
    bool is_last_resort() const;
    std::string serialised() const;
    /// Whether cuDNN compiled it, which takes as long as a second.
    bool compiled = false;
    /// Why it was, though a build of it was kept.
    std::string build_fault;

   private:
    std::shared_ptr<const OperationGraph> graph_;
    /// None where it was read.
    std::vector<EngineChoice> choice_;
    std::string engine_;
    Descriptor descriptor_;
    std::int64_t workspace_ = 0;
};

struct PlanOptions {
    MathMode math = MathMode::f32;
    std::int64_t workspace_cap = std::int64_t{256} << 20;
    /// How many plans; what is found first is what cuDNN takes for fastest.
    std::size_t wanted = 1;
    /// The only engine that is wanted, as EngineChoice::text has it; empty: any.
    std::string engine{};
    /// Where plans that are compiled are looked for first, by their plan_key; nullptr: nowhere.
    const Builds* builds = nullptr;
    /// A plan of the same graph that is there already, to be taken from here rather than made again; nullptr: none.
    std::optional<Plan>* made = nullptr;
    /// Set where memory was short for some plans, and others are given all the same; nullptr: nobody asks.
    bool* short_of_memory = nullptr;
};

struct PlanSearch {
    std::vector<Plan> plans;
    /// How many configurations were looked at.
    std::size_t proposed = 0;
    /// Where there are no plans: why, in words, the reasons that hold for several engines once.
    std::string reason;
};

/// Plans for the graph, of the engine that `options` name, or else from heuristic mode A, then from the fallback: those
/// that `options` allow and cuDNN finalises, each engine and its knobs once. Without a handle none that compile at run
/// time, unless the target says so. Throws CudnnError for whatever is no refusal (CudnnError::is_refusal), but not
/// where memory is short for others than the first, nor where the driver does not load what cuDNN compiled.
PlanSearch find_plans(const Cudnn& cudnn, std::shared_ptr<const OperationGraph> graph, const PlanTarget& target,
                      const PlanOptions& options);

}  // namespace seq::cuda
