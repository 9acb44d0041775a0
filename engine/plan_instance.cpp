#include "engine/plan_instance.hpp"

#include <algorithm>

#include "engine/edge_copy.hpp"
#include "kernels/cpu/large_pages.hpp"

namespace seq {

PlanInstance::PlanInstance(std::shared_ptr<const Plan> plan, bool takes_turns)
    : Instance(std::move(plan), takes_turns),
      arena_(cpu::take_memory(plan_->arena_bytes)),
      scratch_(cpu::take_memory(plan_->scratch_bytes)) {
    const std::size_t steps = plan_->steps.size();
    step_inputs_.resize(steps);
    step_outputs_.resize(steps);
    for (std::size_t s = 0; s < steps; ++s) {
        const Step& step = plan_->steps[s];
        states_.push_back(step.kernel->make_state());
        point(step_inputs_[s], step.inputs);
        point(step_outputs_[s], step.outputs);
    }
    input_staging_.resize(plan_->inputs.size());
    output_staging_.resize(plan_->outputs.size());
    staged_inputs_.reserve(plan_->inputs.size());
    staged_outputs_.reserve(plan_->outputs.size());
    const auto all = [&](bool PreparedKernel::*holds) {
        return std::all_of(plan_->steps.begin(), plan_->steps.end(),
                           [&](const Step& step) { return (*step.kernel).*holds; });
    };
    inspects_ = !all(&PreparedKernel::ignores_nonfinite);
    serial_ = all(&PreparedKernel::serial) && !inspects_;
}

void PlanInstance::point(std::vector<void*>& pointers, const std::vector<BufferRef>& refs) {
    pointers.resize(refs.size(), nullptr);
    for (std::size_t i = 0; i < refs.size(); ++i) {
        const BufferRef& ref = refs[i];
        switch (ref.kind) {
            case BufferRef::Kind::none: break;
            case BufferRef::Kind::arena: pointers[i] = static_cast<std::byte*>(arena_.get()) + ref.offset; break;
            case BufferRef::Kind::weight: pointers[i] = const_cast<void*>(ref.weight); break;
            case BufferRef::Kind::input: input_patches_.push_back({&pointers[i], ref.offset}); break;
            case BufferRef::Kind::output: output_patches_.push_back({&pointers[i], ref.offset}); break;
        }
    }
}

void* PlanInstance::source_of(std::size_t port, const TensorView& view, bool must_copy) {
    const DType wanted = compute_dtype(view.dtype);
    if (!must_copy && is_direct(view, wanted)) return view.data;
    Staging& staging = input_staging_[port];
    if (staging.native.view().data == nullptr) staging.native = Tensor(view.dtype, view.sizes());
    if (wanted != view.dtype && staging.compute.view().data == nullptr) staging.compute = Tensor(wanted, view.sizes());
    staged_inputs_.push_back({port, view});
    return wanted == view.dtype ? staging.native.view().data : staging.compute.view().data;
}

void PlanInstance::fetch(const Staged& input) {
    Staging& staging = input_staging_[input.port];
    const bool converts = compute_dtype(input.view.dtype) != input.view.dtype;
    fetch_elements(input.view, staging.native.view(), (converts ? staging.compute : staging.native).view());
}

void* PlanInstance::target_of(std::size_t port, const TensorView& view) {
    const PlanPort& info = plan_->outputs[port];
    if (view.data != nullptr && is_direct(view, info.dtype)) return view.data;
    Staging& staging = output_staging_[port];
    if (staging.compute.view().data == nullptr) staging.compute = Tensor(info.dtype, info.sizes);
    if (view.data == nullptr) return staging.compute.view().data;
    if (view.dtype != info.dtype && staging.native.view().data == nullptr)
        staging.native = Tensor(view.dtype, info.sizes);
    staged_outputs_.push_back({port, view});
    return staging.compute.view().data;
}

void PlanInstance::deliver(const Staged& output) {
    Staging& staging = output_staging_[output.port];
    deliver_elements(staging.compute.view(), staging.native.view(), output.view);
}

bool PlanInstance::needs_care() const {
    if (plan_->careful) return true;
    return inspects_ && std::any_of(input_patches_.begin(), input_patches_.end(), [&](const Patch& patch) {
               const PlanPort& port = plan_->inputs[patch.port];
               return plan_->has_extreme(TensorView::dense(*patch.slot, port.dtype, port.sizes));
           });
}

void PlanInstance::wire(std::uint64_t wiring, std::span<const TensorView> inputs, std::span<const TensorView> outputs) {
    wiring_ = 0;  // until all is done
    staged_inputs_.clear();
    staged_outputs_.clear();
    for (const Patch& patch : input_patches_) *patch.slot = inputs[patch.port].data;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const ByteRange range = byte_range(inputs[i]);
        const bool overlaps = std::any_of(outputs.begin(), outputs.end(), [&](const TensorView& output) {
            return output.data != nullptr && byte_range(output).overlaps(range);
        });
        void* const source = source_of(i, inputs[i], overlaps);
        if (source == inputs[i].data) continue;
        for (const Patch& patch : input_patches_) {
            if (patch.port == i) *patch.slot = source;
        }
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        void* const target = target_of(i, outputs[i]);
        for (const Patch& patch : output_patches_) {
            if (patch.port == i) *patch.slot = target;
        }
    }
    wiring_ = wiring;
}

void PlanInstance::run(Session::StepObserver* observer) {
    for (const Staged& input : staged_inputs_) fetch(input);
    RunContext context;
    context.nonfinite = needs_care();
    context.backwards = backwards_ = !backwards_;
    context.scratch = static_cast<std::byte*>(scratch_.get());
    for (std::size_t s = 0; s < plan_->steps.size(); ++s) {
        context.inputs = step_inputs_[s].data();
        context.outputs = step_outputs_[s].data();
        context.state = states_[s].get();
        if (observer != nullptr) observer->before(s);
        plan_->steps[s].kernel->run(context);
        if (observer != nullptr) observer->after(s);
    }
    for (const Staged& output : staged_outputs_) deliver(output);
}

}  // namespace seq
