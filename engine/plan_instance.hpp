#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/instance.hpp"

namespace seq {

/// On the host: the arena, scratch, each kernel's handles, and the pointers of every step.
class PlanInstance final : public Instance {
   public:
    explicit PlanInstance(std::shared_ptr<const Plan> plan, bool takes_turns = false);

    void wire(std::uint64_t wiring, std::span<const TensorView> inputs, std::span<const TensorView> outputs) override;
    void run(Session::StepObserver* observer) override;

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
    /// Whether a step is to be told of NaN and Inf among the inputs.
    bool inspects_ = false;
    bool backwards_ = true;  ///< in the last run
};

}  // namespace seq
