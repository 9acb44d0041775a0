#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "engine/fault_report.hpp"
#include "graph/diagnostic.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// What the instances of one session share on a device: its queue, and memory for one run at a time.
class DeviceSession {
   public:
    /// `backend` has a device. `stream`: the caller's, or nullptr.
    DeviceSession(const Backend& backend, void* stream);
    ~DeviceSession();
    DeviceSession(const DeviceSession&) = delete;

    const DeviceRuntime& runtime() const { return runtime_; }
    DeviceQueue& queue() const { return *queue_; }
    /// Backend::copy_view, in its queue.
    void copy_view(const TensorView& from, const TensorView& to) { copy_view_(*queue_, from, to); }
    /// Whether work goes to a stream of the caller's, which he can wait for.
    bool is_callers_stream() const { return is_callers_stream_; }

    /// At least as much; the same for all where it is enough. Throws Error device/memory.
    std::shared_ptr<void> room(std::size_t bytes);
    /// Whether who asks for room next may get this.
    bool is_shared(const std::shared_ptr<void>& room) const { return room == room_; }
    /// Keeps no room for those who may ask.
    void release_room();

    /// The device failed; from then on `require_sound` throws that.
    void fail(const Error& failure) { failure_ = failure; }
    void require_sound() const {
        if (failure_) throw *failure_;
    }

    /// Of all runs; made at the first call, which is not one while work is captured.
    const FaultReport& faults();
    /// Throws what runs that are done found wrong with their inputs, once.
    void require_no_fault();
    /// The same for a later call, before the FaultStates of those runs go.
    void keep_fault();

   private:
    const DeviceRuntime& runtime_;
    decltype(Backend::copy_view) copy_view_;
    bool is_callers_stream_;
    std::unique_ptr<DeviceQueue> queue_;
    std::shared_ptr<void> room_;
    std::size_t room_bytes_ = 0;
    std::optional<Error> failure_;
    std::optional<FaultReport> faults_;
    std::optional<Error> fault_;  ///< that was found and not told
};

}  // namespace seq
