#include "engine/sliced_kernel.hpp"

#include <oneapi/tbb/task_arena.h>

#include "engine/plan_instance.hpp"
#include "kernels/cpu/parallel.hpp"

namespace seq {
namespace {

/// What one worker computes with.
struct Worker {
    explicit Worker(const std::shared_ptr<const Plan>& plan) : instance(plan), arena(1) {
        for (const PlanPort& port : plan->inputs) inputs.push_back(TensorView::dense(nullptr, port.dtype, port.sizes));
        for (const PlanPort& port : plan->outputs)
            outputs.push_back(TensorView::dense(nullptr, port.dtype, port.sizes));
    }

    PlanInstance instance;
    /// For a worker that shares its layers with nobody.
    oneapi::tbb::task_arena arena;
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
    for (const PlanPort& port : slice_->outputs) output_layouts.push_back(port.layout);
    ignores_nonfinite = true;  // each slice is looked through by itself
}

std::unique_ptr<KernelState> SlicedKernel::make_state() const {
    auto state = std::make_unique<SlicedState>();
    for (int i = 0; i < workers_; ++i) {
        state->workers.push_back(std::make_unique<Worker>(slice_));
        if (workers_ > 1) state->workers.back()->arena.initialize();
    }
    return state;
}

void SlicedKernel::run_slice(const RunContext& context, std::int64_t slice, std::size_t worker) const {
    Worker& own = *static_cast<SlicedState&>(*context.state).workers[worker];
    point(own.inputs, context.inputs, slice);
    point(own.outputs, context.outputs, slice);
    own.instance.wire(static_cast<std::uint64_t>(slice) + 1, own.inputs, own.outputs);
    if (workers_ == 1) return own.instance.run(nullptr);
    own.arena.execute([&own] { own.instance.run(nullptr); });
}

void SlicedKernel::run(const RunContext& context) const {
    cpu::share_tasks(workers_, slices_, [&](std::int64_t worker, const auto& next) {
        for (std::int64_t slice = next(); slice >= 0; slice = next())
            run_slice(context, slice, static_cast<std::size_t>(worker));
    });
}

}  // namespace seq
