#include "engine/device_instance.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/edge_copy.hpp"
#include "engine/plan_instance.hpp"
#include "kernels/fault_state.hpp"

namespace seq {

DeviceInstance::Edge::Edge(const PlanPort& port, const DeviceRuntime& runtime) {
    staged = TensorView::dense(nullptr, port.dtype, port.sizes);
    bytes = staged.byte_count();
    device = runtime.allocate(bytes);
    staging = runtime.allocate_staging(bytes);
    staged.data = staging.get();
}

TensorView DeviceInstance::Edge::on_device() const {
    TensorView view = staged;
    view.data = is_bound && !converts ? callers.data : device.get();
    view.device = callers.device;
    return view;
}

EdgePlace DeviceInstance::Edge::place() const {
    if (!is_bound) return {device.get(), {}, is_on_host()};
    EdgePlace place{callers.data, {}, false};
    std::copy_n(callers.strides.begin(), callers.rank, place.strides.begin());
    return place;
}

namespace {

/// As wide as kernels of devices read at once, and what the plans of their libraries are promised.
constexpr std::size_t kernel_alignment = 16;

bool is_aligned(const TensorView& view, std::size_t bytes) {
    return reinterpret_cast<std::uintptr_t>(view.data) % bytes == 0;
}

/// Where what follows `bytes` begins.
std::size_t aligned(std::size_t bytes) {
    constexpr std::size_t alignment = 256;
    return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace

DeviceInstance::DeviceInstance(std::shared_ptr<const Plan> plan, std::shared_ptr<DeviceSession> device)
    : Instance(std::move(plan), false),
      device_(std::move(device)),
      room_(device_->room(aligned(plan_->arena_bytes) + plan_->scratch_bytes)),
      arena_(static_cast<std::byte*>(room_.get())),
      scratch_(arena_ + aligned(plan_->arena_bytes)) {
    serial_ = true;
    for (const PlanPort& port : plan_->inputs) inputs_.emplace_back(port, device_->runtime());
    for (const PlanPort& port : plan_->outputs) outputs_.emplace_back(port, device_->runtime());
    places_.resize(inputs_.size() + outputs_.size());
    for (const Step& step : plan_->steps) {
        states_.push_back(step.kernel->make_state());
        step_inputs_.emplace_back(step.inputs.size());
        step_outputs_.emplace_back(step.outputs.size());
        if (auto* finder = dynamic_cast<FaultState*>(states_.back().get())) {
            faults_ = &device_->faults();
            finder->record = faults_->record();
        }
    }
}

/// What was handed over still uses the buffers.
DeviceInstance::~DeviceInstance() {
    try {
        device_->queue().wait();
        device_->keep_fault();
    } catch (const Error&) {
        // A failed device uses nothing any more.
    }
}

std::size_t DeviceInstance::memory_bytes() const {
    constexpr std::size_t bytes_per_step = 16384;  // of a captured graph, roughly
    std::size_t bytes = std::max<std::size_t>(runs_.graph_count(), 1) * plan_->steps.size() * bytes_per_step;
    for (const auto* edges : {&inputs_, &outputs_}) {
        for (const Edge& edge : *edges) bytes += 2 * edge.bytes;
    }
    return device_->is_shared(room_) ? bytes : bytes + plan_->buffer_bytes();
}

void* DeviceInstance::address(const BufferRef& ref) const {
    switch (ref.kind) {
        case BufferRef::Kind::none: break;
        case BufferRef::Kind::arena: return arena_ + ref.offset;
        case BufferRef::Kind::weight: return const_cast<void*>(ref.weight);
        case BufferRef::Kind::input: return inputs_[ref.offset].on_device().data;
        case BufferRef::Kind::output: return outputs_[ref.offset].on_device().data;
    }
    return nullptr;
}

void DeviceInstance::wire(std::vector<Edge>& edges, std::span<const TensorView> views,
                          const std::vector<PlanPort>& ports, const char* role) {
    for (std::size_t i = 0; i < edges.size(); ++i) {
        Edge& edge = edges[i];
        if (views[i].device.kind != DeviceKind::cpu && !is_aligned(views[i], size_of(views[i].dtype)))
            throw Error(fmt::format("{}/device", role),
                        fmt::format("{} `{}` lies in a GPU's memory at an address that is no multiple of the {} bytes "
                                    "of its elements",
                                    role, ports[i].name, size_of(views[i].dtype)));
        edge.callers = views[i];
        edge.converts = edge.is_on_device() && !is_direct(edge.callers, edge.staged.dtype);
        const bool converts_staged = edge.is_on_host() && edge.callers.dtype != edge.staged.dtype;
        if (converts_staged && edge.native.view().data == nullptr)
            edge.native = Tensor(edge.callers.dtype, edge.callers.sizes());
    }
}

void DeviceInstance::wire(std::uint64_t wiring, std::span<const TensorView> inputs,
                          std::span<const TensorView> outputs) {
    wiring_ = 0;  // until all is done
    wire(inputs_, inputs, plan_->inputs, "input");
    wire(outputs_, outputs, plan_->outputs, "output");
    find_what_fits();
    wiring_ = wiring;
}

/// An input that lies where an output is written is copied before that; so are those that are converted, in the run.
void DeviceInstance::find_what_fits() {
    const auto is_taken = [](const Edge& edge) { return edge.converts || is_aligned(edge.callers, kernel_alignment); };
    for (Edge& output : outputs_) output.fits = output.is_on_device() && is_taken(output);
    for (Edge& input : inputs_) {
        const auto overlaps = [range = byte_range(input.callers)](const Edge& output) {
            return output.is_on_device() && byte_range(output.callers).overlaps(range);
        };
        input.fits = input.is_on_device() && is_taken(input) &&
                     (input.converts || std::none_of(outputs_.begin(), outputs_.end(), overlaps));
    }
}

void DeviceInstance::bind(bool direct) {
    std::size_t at = 0;
    for (auto* edges : {&inputs_, &outputs_}) {
        for (Edge& edge : *edges) {
            edge.is_bound = direct && edge.fits;
            places_[at++] = edge.place();
        }
    }
}

CapturedRuns::Run& DeviceInstance::choose_run() {
    bind(true);
    if (auto* run = runs_.find(places_)) return *run;
    CapturedRuns::Run& added = runs_.add(places_, device_->queue());
    const auto is_bound = [](const Edge& edge) { return edge.is_bound; };
    const bool any = std::any_of(inputs_.begin(), inputs_.end(), is_bound) ||
                     std::any_of(outputs_.begin(), outputs_.end(), is_bound);
    if (!warm_ || !any) return added;
    bind(false);
    if (auto* run = runs_.find(places_)) return *run;
    return runs_.add(places_, device_->queue());
}

void DeviceInstance::point_steps() {
    for (std::size_t s = 0; s < plan_->steps.size(); ++s) {
        const Step& step = plan_->steps[s];
        for (std::size_t i = 0; i < step.inputs.size(); ++i) step_inputs_[s][i] = address(step.inputs[i]);
        for (std::size_t i = 0; i < step.outputs.size(); ++i) step_outputs_[s][i] = address(step.outputs[i]);
    }
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

void DeviceInstance::copy(const TensorView& from, const TensorView& to) {
    if (from.dtype == to.dtype && from.is_dense() && to.is_dense())
        device_->queue().copy_on_device(to.data, from.data, from.byte_count());
    else
        device_->copy_view(from, to);
}

void DeviceInstance::hand_over_edges_and_steps(Session::StepObserver* observer) {
    DeviceQueue& queue = device_->queue();
    point_steps();
    for (const Edge& input : inputs_) {
        if (input.is_on_host()) queue.copy_to_device(input.device.get(), input.staging.get(), input.bytes);
        if (input.is_converted_within()) device_->copy_view(input.callers, input.on_device());
    }
    RunContext context;
    context.nonfinite = plan_->careful;
    context.scratch = scratch_;
    context.queue = &queue;
    for (std::size_t s = 0; s < plan_->steps.size(); ++s) {
        context.inputs = step_inputs_[s].data();
        context.outputs = step_outputs_[s].data();
        context.state = states_[s].get();
        if (observer != nullptr) {
            queue.wait();
            observer->before(s);
        }
        plan_->steps[s].kernel->run(context);
        if (observer != nullptr) {
            queue.wait();
            observer->after(s);
        }
    }
    for (const Edge& output : outputs_) {
        if (output.is_on_host()) queue.copy_to_host(output.staging.get(), output.device.get(), output.bytes);
        if (output.is_converted_within()) device_->copy_view(output.on_device(), output.callers);
    }
    if (faults_ != nullptr) faults_->fetch(queue);
}

bool DeviceInstance::has_graph(CapturedRuns::Run& run) {
    if (run.graph != nullptr) return true;
    if (!tries_.is_due()) return false;
    try {
        run.graph = device_->queue().capture([this] { hand_over_edges_and_steps(nullptr); });
    } catch (const Error& error) {
        if (error.code() != "device/capture") throw;
        tries_.fail(error.what());
        return false;
    }
    tries_.succeed();
    return true;
}

void DeviceInstance::hand_over(Session::StepObserver* observer) {
    DeviceQueue& queue = device_->queue();
    CapturedRuns::Run& run = choose_run();
    for (const Edge& input : inputs_) {
        if (input.is_copied()) copy(input.callers, input.on_device());
    }
    if (observer == nullptr && warm_ && has_graph(run))
        queue.launch(*run.graph);
    else
        hand_over_edges_and_steps(observer);
    for (const Edge& output : outputs_) {
        if (output.is_copied()) copy(output.on_device(), output.callers);
    }
}

bool DeviceInstance::must_wait() const {
    const auto is_on_host = [](const Edge& edge) { return edge.is_on_host(); };
    return !device_->is_callers_stream() || std::any_of(inputs_.begin(), inputs_.end(), is_on_host) ||
           std::any_of(outputs_.begin(), outputs_.end(), is_on_host);
}

/// What steps of a run that failed found wrong is no fault of the next one's. A stream of the caller's he waits for
/// himself, and what runs on it find is told in a later one: for that it has to be fetched, as the run did not.
void DeviceInstance::end_failed_run() {
    DeviceQueue& queue = device_->queue();
    try {
        if (device_->is_callers_stream()) {
            if (faults_ != nullptr) faults_->fetch(queue);
            return;
        }
        queue.wait();
        if (faults_ != nullptr) faults_->clear(queue);
    } catch (const Error& error) {
        if (error.code() == "device/failed") device_->fail(error);
    }
}

void DeviceInstance::run(Session::StepObserver* observer) {
    device_->require_sound();
    try {
        device_->require_no_fault();
        stage_inputs();
        hand_over(observer);
        warm_ = true;
        if (must_wait()) {
            device_->queue().wait();
            device_->require_no_fault();
        }
    } catch (const Error& error) {
        if (error.code() == "device/failed")
            device_->fail(error);
        else
            end_failed_run();
        throw;
    }
    deliver_outputs();
}

std::shared_ptr<Instance> make_instance(std::shared_ptr<const Plan> plan, std::shared_ptr<DeviceSession> device,
                                        bool takes_turns) {
    if (device == nullptr) return std::make_shared<PlanInstance>(std::move(plan), takes_turns);
    return std::make_shared<DeviceInstance>(std::move(plan), std::move(device));
}

}  // namespace seq
