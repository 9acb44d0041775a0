#include "engine/device_instance.hpp"

#include <fmt/format.h>

#include "engine/edge_copy.hpp"
#include "engine/plan_instance.hpp"

namespace seq {

DeviceInstance::Edge::Edge(const PlanPort& port, const DeviceRuntime& runtime) {
    staged = TensorView::dense(nullptr, port.dtype, port.sizes);
    bytes = staged.byte_count();
    device = runtime.allocate(bytes);
    staging = runtime.allocate_staging(bytes);
    staged.data = staging.get();
}

DeviceInstance::DeviceInstance(std::shared_ptr<const Plan> plan, const DeviceRuntime& device)
    : Instance(std::move(plan), false),
      arena_(device.allocate(plan_->arena_bytes)),
      scratch_(device.allocate(plan_->scratch_bytes)),
      queue_(device.make_queue()) {
    serial_ = true;
    for (const PlanPort& port : plan_->inputs) inputs_.emplace_back(port, device);
    for (const PlanPort& port : plan_->outputs) outputs_.emplace_back(port, device);
    for (const Step& step : plan_->steps) {
        states_.push_back(step.kernel->make_state());
        auto& inputs = step_inputs_.emplace_back();
        auto& outputs = step_outputs_.emplace_back();
        for (const BufferRef& ref : step.inputs) inputs.push_back(address(ref));
        for (const BufferRef& ref : step.outputs) outputs.push_back(address(ref));
    }
}

/// What was handed over still uses the buffers.
DeviceInstance::~DeviceInstance() {
    try {
        queue_->wait();
    } catch (const Error&) {
        // A failed device uses nothing any more.
    }
}

void* DeviceInstance::address(const BufferRef& ref) const {
    switch (ref.kind) {
        case BufferRef::Kind::none: break;
        case BufferRef::Kind::arena: return static_cast<std::byte*>(arena_.get()) + ref.offset;
        case BufferRef::Kind::weight: return const_cast<void*>(ref.weight);
        case BufferRef::Kind::input: return inputs_[ref.offset].device.get();
        case BufferRef::Kind::output: return outputs_[ref.offset].device.get();
    }
    return nullptr;
}

/// A captured graph copies from and to the host what lay there when it was captured.
void DeviceInstance::wire(std::vector<Edge>& edges, std::span<const TensorView> views, const char* role) {
    for (std::size_t i = 0; i < edges.size(); ++i) {
        Edge& edge = edges[i];
        if (views[i].device.kind != DeviceKind::cpu && !is_direct(views[i], edge.staged.dtype))
            throw Error(fmt::format("{}/device", role),
                        fmt::format("{} {} lies in a GPU's memory, where it has to be dense and {}", role, i,
                                    name_of(edge.staged.dtype)));
        const bool was_on_host = edge.is_on_host();
        edge.callers = views[i];
        if (edge.is_on_host() != was_on_host) graph_.reset();
        const bool converts = edge.is_on_host() && edge.callers.dtype != edge.staged.dtype;
        if (converts && edge.native.view().data == nullptr)
            edge.native = Tensor(edge.callers.dtype, edge.callers.sizes());
    }
}

void DeviceInstance::wire(std::uint64_t wiring, std::span<const TensorView> inputs,
                          std::span<const TensorView> outputs) {
    wiring_ = 0;  // until all is done
    wire(inputs_, inputs, "input");
    wire(outputs_, outputs, "output");
    wiring_ = wiring;
}

void DeviceInstance::stage_inputs() {
    for (Edge& input : inputs_) {
        if (input.is_on_host()) fetch_elements(input.callers, input.native.view(), input.staged);
    }
}

void DeviceInstance::deliver_outputs() {
    for (Edge& output : outputs_) {
        if (output.is_on_host()) deliver_elements(output.staged, output.native.view(), output.callers);
    }
}

void DeviceInstance::hand_over_host_copies_and_steps(Session::StepObserver* observer) {
    for (const Edge& input : inputs_) {
        if (input.is_on_host()) queue_->copy_to_device(input.device.get(), input.staging.get(), input.bytes);
    }
    RunContext context;
    context.nonfinite = plan_->careful;
    context.scratch = static_cast<std::byte*>(scratch_.get());
    context.queue = queue_.get();
    for (std::size_t s = 0; s < plan_->steps.size(); ++s) {
        context.inputs = step_inputs_[s].data();
        context.outputs = step_outputs_[s].data();
        context.state = states_[s].get();
        if (observer != nullptr) {
            queue_->wait();
            observer->before(s);
        }
        plan_->steps[s].kernel->run(context);
        if (observer != nullptr) {
            queue_->wait();
            observer->after(s);
        }
    }
    for (const Edge& output : outputs_) {
        if (output.is_on_host()) queue_->copy_to_host(output.staging.get(), output.device.get(), output.bytes);
    }
}

void DeviceInstance::hand_over(Session::StepObserver* observer) {
    for (const Edge& input : inputs_) {
        if (input.is_on_device()) queue_->copy_on_device(input.device.get(), input.callers.data, input.bytes);
    }
    if (observer != nullptr || !warm_) {
        hand_over_host_copies_and_steps(observer);
    } else {
        if (graph_ == nullptr) graph_ = queue_->capture([this] { hand_over_host_copies_and_steps(nullptr); });
        queue_->launch(*graph_);
    }
    for (const Edge& output : outputs_) {
        if (output.is_on_device()) queue_->copy_on_device(output.callers.data, output.device.get(), output.bytes);
    }
}

void DeviceInstance::run(Session::StepObserver* observer) {
    if (failure_) throw *failure_;
    try {
        stage_inputs();
        hand_over(observer);
        queue_->wait();
    } catch (const Error& error) {
        if (error.code() == "device/failed") failure_ = error;
        throw;
    }
    warm_ = true;
    deliver_outputs();
}

std::shared_ptr<Instance> make_instance(std::shared_ptr<const Plan> plan, const DeviceRuntime* device,
                                        bool takes_turns) {
    if (device == nullptr) return std::make_shared<PlanInstance>(std::move(plan), takes_turns);
    return std::make_shared<DeviceInstance>(std::move(plan), *device);
}

}  // namespace seq
