#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/plan.hpp"
#include "engine/session.hpp"

namespace seq {

/// One session's buffers for one plan: the arena, scratch, each kernel's handles, and the pointers of every step.
class PlanInstance {
   public:
    explicit PlanInstance(std::shared_ptr<const Plan> plan);

    const std::shared_ptr<const Plan>& plan() const { return plan_; }
    std::size_t memory_bytes() const { return plan_->buffer_bytes(); }

    /// Reads the inputs and writes the outputs, in the order of the plan's ports; every view has the port's sizes.
    /// A null output is computed and dropped.
    void run(std::span<const TensorView> inputs, std::span<const TensorView> outputs, Session::StepObserver* observer);

   private:
    struct Patch {
        void** slot = nullptr;
        std::size_t port = 0;
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
    void deliver(std::size_t port, const TensorView& view);

    std::shared_ptr<const Plan> plan_;
    Tensor arena_;
    Tensor scratch_;
    std::vector<std::unique_ptr<KernelState>> states_;
    std::vector<std::vector<void*>> step_inputs_;
    std::vector<std::vector<void*>> step_outputs_;
    std::vector<Patch> input_patches_;
    std::vector<Patch> output_patches_;
    std::vector<Staging> input_staging_;
    std::vector<Staging> output_staging_;
};

}  // namespace seq
