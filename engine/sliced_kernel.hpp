#pragma once

#include <memory>

#include "engine/plan.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// Runs a plan for some samples on one slice of a batch after the other. Its inputs and outputs are the plan's, for the
/// whole batch.
class SlicedKernel final : public PreparedKernel {
   public:
    /// `workers`: how many slices are computed at a time, each by one thread; 1: each by all threads of the plan.
    SlicedKernel(std::shared_ptr<const Plan> slice, std::int64_t slices, int workers);

    std::unique_ptr<KernelState> make_state() const override;
    void run(const RunContext& context) const override;

   private:
    void run_slice(const RunContext& context, std::int64_t slice, std::size_t worker) const;

    std::shared_ptr<const Plan> slice_;
    std::int64_t slices_;
    int workers_;
};

}  // namespace seq
