#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/plan.hpp"
#include "engine/session.hpp"

namespace seq {

/// One session's buffers for one plan: the arena, scratch, each kernel's handles, and the pointers of every step.
class PlanInstance {
   public:
    /// `takes_turns`: of does_better_in_turns.
    explicit PlanInstance(std::shared_ptr<const Plan> plan, bool takes_turns = false);

    const std::shared_ptr<const Plan>& plan() const { return plan_; }
    std::size_t memory_bytes() const { return plan_->buffer_bytes(); }

    /// Points the steps at the inputs and outputs, in the order of the plan's ports; every view has the port's sizes.
    /// A null output is computed and dropped. `wiring` tells this from other calls.
    void wire(std::uint64_t wiring, std::span<const TensorView> inputs, std::span<const TensorView> outputs);
    /// The last call's number; 0: there was none.
    std::uint64_t wiring() const { return wiring_; }

    /// Reads the inputs and writes the outputs of the last call of `wire`. Outside the plan's thread arena where
    /// `is_serial` says so.
    void run(Session::StepObserver* observer);
    bool is_serial() const { return serial_; }
    bool takes_turns() const { return takes_turns_; }

   private:
    struct Patch {
        void** slot = nullptr;
        std::size_t port = 0;
    };
    /// A caller's view that the plan does not touch itself.
    struct Staged {
        std::size_t port = 0;
        TensorView view;
    };
    /// A buffer between the caller's view and the plan, made when first needed.
    struct Staging {
        Tensor native;   ///< the port's dtype, dense
        Tensor compute;  ///< the dtype that the plan computes in
    };

    void point(std::vector<void*>& pointers, const std::vector<BufferRef>& refs);
    void* source_of(std::size_t port, const TensorView& view, bool must_copy);
    void* target_of(std::size_t port, const TensorView& view);
    bool needs_care() const;
    void fetch(const Staged& input);
    void deliver(const Staged& output);

    std::shared_ptr<const Plan> plan_;
    bool takes_turns_;
    std::shared_ptr<void> arena_;
    std::shared_ptr<void> scratch_;
    std::vector<std::unique_ptr<KernelState>> states_;
    std::vector<std::vector<void*>> step_inputs_;
    std::vector<std::vector<void*>> step_outputs_;
    std::vector<Patch> input_patches_;
    std::vector<Patch> output_patches_;
    std::vector<Staging> input_staging_;
    std::vector<Staging> output_staging_;
    std::vector<Staged> staged_inputs_;
    std::vector<Staged> staged_outputs_;
    std::uint64_t wiring_ = 0;
    /// Whether a step is to be told of NaN and Inf among the inputs.
    bool inspects_ = false;
    bool serial_ = false;
    bool backwards_ = true;  ///< in the last run
};

}  // namespace seq
