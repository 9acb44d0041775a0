#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/capture_tries.hpp"
#include "engine/captured_runs.hpp"
#include "engine/device_session.hpp"
#include "engine/instance.hpp"

namespace seq {

/// On a device with memory of its own. A run is one launch of a graph that holds the copies from and to the host and
/// every step; graphs are captured from the second run on, after one in which kernels may still set themselves up.
/// Kernels read and write views in the device's memory where these lie; views that are not as kernels take them are
/// converted first, or last, by the graph. A graph is for the memory that it was captured with: it is made where the
/// same comes again, and memory that was not seen before is copied, or converted, before the run and after it. A run
/// whose capture something else in the process disturbed is handed over step by step, and captured at a later one.
class DeviceInstance final : public Instance {
   public:
    DeviceInstance(std::shared_ptr<const Plan> plan, std::shared_ptr<DeviceSession> device);
    ~DeviceInstance() override;

    std::size_t memory_bytes() const override;
    void wire(std::uint64_t wiring, std::span<const TensorView> inputs, std::span<const TensorView> outputs) override;
    /// Throws Error device/failed, and again in every later run of the session. Throws what kernels find wrong with
    /// the inputs (Error run/index), once. Where work goes to a stream of the caller's and all views lie in the
    /// device's memory, it is handed over and not waited for: a later run throws for it.
    void run(Session::StepObserver* observer) override;
    std::string not_captured() const override { return tries_.reason(); }

   private:
    /// An input or output as the plan has it.
    struct Edge {
        Edge(const PlanPort& port, const DeviceRuntime& device);

        std::size_t bytes;
        std::shared_ptr<void> device;
        std::shared_ptr<void> staging;
        TensorView staged;      ///< of `staging`
        Tensor native;          ///< in the caller's dtype, where that is another
        TensorView callers{};   ///< of the caller, in the last call of `wire`
        bool converts = false;  ///< it lies on the device, with strides or in a dtype that no kernel takes
        bool fits = false;      ///< a run that is captured may hold the caller's memory
        bool is_bound = false;  ///< it does

        bool is_dropped() const { return callers.data == nullptr; }
        bool is_on_host() const { return !is_dropped() && callers.device.kind == DeviceKind::cpu; }
        bool is_on_device() const { return !is_dropped() && !is_on_host(); }
        bool is_copied() const { return is_on_device() && !is_bound; }
        bool is_converted_within() const { return converts && is_bound; }
        /// As kernels take it.
        TensorView on_device() const;
        EdgePlace place() const;
    };

    bool must_wait() const;
    /// After an error: the caller may free the memory that he handed over.
    void end_failed_run();
    void* address(const BufferRef& ref) const;
    void wire(std::vector<Edge>& edges, std::span<const TensorView> views, const std::vector<PlanPort>& ports,
              const char* role);
    void find_what_fits();
    /// Sets who is bound, to the caller's memory where `direct` says so, and the places.
    void bind(bool direct);
    /// Binds the edges as the run that is to be will have them.
    CapturedRuns::Run& choose_run();
    void point_steps();
    void stage_inputs();
    void deliver_outputs();
    /// Captures the run where it has none and that may be tried.
    bool has_graph(CapturedRuns::Run& run);
    /// All of a run that happens in the queue.
    void hand_over(Session::StepObserver* observer);
    void hand_over_edges_and_steps(Session::StepObserver* observer);
    /// Of an edge, in the device's memory.
    void copy(const TensorView& from, const TensorView& to);

    std::shared_ptr<DeviceSession> device_;
    std::shared_ptr<void> room_;
    std::byte* arena_;
    std::byte* scratch_;
    std::vector<Edge> inputs_, outputs_;
    std::vector<std::unique_ptr<KernelState>> states_;
    std::vector<std::vector<void*>> step_inputs_, step_outputs_;
    std::vector<EdgePlace> places_;  ///< of the inputs, then of the outputs
    CapturedRuns runs_;
    CaptureTries tries_;
    const FaultReport* faults_ = nullptr;  ///< nullptr where no kernel finds any
    bool warm_ = false;                    ///< whether a run went before, so that the next one may be captured
};

}  // namespace seq
