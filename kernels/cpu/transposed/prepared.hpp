#pragma once

#include <optional>
#include <vector>

#include "kernels/cpu/elementwise/chain.hpp"
#include "kernels/cpu/fused_head.hpp"
#include "kernels/cpu/transposed/problem.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu::transposed {

/// What a problem's forms have in common: tasks, packed weights, and what remains of the epilogue.
class PreparedTransposed : public PreparedKernel {
   public:
    void run(const RunContext& context) const final;
    bool has_weights() const { return weights_.data != nullptr; }

    FusedHead head;
    std::optional<ElementwiseChain> rest;

   protected:
    PreparedTransposed(const KernelRequest& request, WeightProvider& provider, const Problem& problem,
                       const FusedHead& head);

    struct Task {
        /// Tasks of one block have it in common.
        std::int64_t block = 0, picture = 0;
        Range lines, columns, panels;
    };
    /// `held`: the block of the worker's task before, or -1; its copy is still in `copy`, Problem::copy_floats of the
    /// worker's own.
    virtual void run_task(const RunContext& context, const Task& task, std::int64_t held, float* copy) const = 0;

    /// Of the picture, where its inputs begin.
    const float* input_at(const RunContext& context, std::int64_t picture) const;
    /// In floats, where the channels of an output begin.
    std::int64_t output_at(std::int64_t picture, std::int64_t line, std::int64_t column) const {
        return ((picture * problem_.lines.out + line) * problem_.columns.out + column) * problem_.out_channels;
    }

    Problem problem_;
    std::vector<Phase> line_phases_, column_phases_;
    PackedWeights weights_, bias_;
    SumEpilogue epilogue_;

   private:
    Task task_at(std::int64_t index) const;

    std::int64_t workers_ = 1;
};

std::unique_ptr<PreparedTransposed> prepare_products(const KernelRequest& request, WeightProvider& provider,
                                                     const Problem& problem);
std::unique_ptr<PreparedTransposed> prepare_depthwise(const KernelRequest& request, WeightProvider& provider,
                                                      const Problem& problem);
std::unique_ptr<PreparedTransposed> prepare_scattered(const KernelRequest& request, WeightProvider& provider,
                                                      const Problem& problem);

}  // namespace seq::cpu::transposed
