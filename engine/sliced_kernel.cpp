#include "engine/sliced_kernel.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>

#include "engine/plan_instance.hpp"

namespace seq {
namespace {

/// What one worker computes with.
struct Worker {
    explicit Worker(const std::shared_ptr<const Plan>& plan) : instance(plan) {
        for (const PlanPort& port : plan->inputs) inputs.push_back(TensorView::dense(nullptr, port.dtype, port.sizes));
        for (const PlanPort& port : plan->outputs)
            outputs.push_back(TensorView::dense(nullptr, port.dtype, port.sizes));
    }

    PlanInstance instance;
    std::vector<TensorView> inputs;
    std::vector<TensorView> outputs;
};

struct SlicedState final : KernelState {
    std::vector<std::unique_ptr<Worker>> workers;
};

void point(std::vector<TensorView>& views, void* const* whole, std::int64_t slice) {
    for (std::size_t i = 0; i < views.size(); ++i)
        views[i].data = static_cast<std::byte*>(whole[i]) + static_cast<std::size_t>(slice) * views[i].byte_count();
}

}  // namespace

SlicedKernel::SlicedKernel(std::shared_ptr<const Plan> slice, std::int64_t slices, int workers)
    : slice_(std::move(slice)), slices_(slices), workers_(workers) {
    input_layouts.assign(slice_->inputs.size(), Layout::plain());
    output_layouts.assign(slice_->outputs.size(), Layout::plain());
    ignores_nonfinite = true;  // each slice is looked through by itself
}

std::unique_ptr<KernelState> SlicedKernel::make_state() const {
    auto state = std::make_unique<SlicedState>();
    for (int i = 0; i < workers_; ++i) state->workers.push_back(std::make_unique<Worker>(slice_));
    return state;
}

void SlicedKernel::run_slice(const RunContext& context, std::int64_t slice, std::size_t worker) const {
    Worker& own = *static_cast<SlicedState&>(*context.state).workers[worker];
    point(own.inputs, context.inputs, slice);
    point(own.outputs, context.outputs, slice);
    own.instance.wire(static_cast<std::uint64_t>(slice) + 1, own.inputs, own.outputs);
    own.instance.run(nullptr);
}

void SlicedKernel::run(const RunContext& context) const {
    if (workers_ == 1) {
        for (std::int64_t slice = 0; slice < slices_; ++slice) run_slice(context, slice, 0);
        return;
    }
    std::atomic<std::int64_t> next{0};
    tbb::parallel_for(0, workers_, [&](int worker) {
        for (std::int64_t slice = next++; slice < slices_; slice = next++)
            run_slice(context, slice, static_cast<std::size_t>(worker));
    });
}

}  // namespace seq
