#include "engine/fault_report.hpp"

#include <atomic>

#include "kernels/fault_state.hpp"

namespace seq {

FaultReport::FaultReport(const DeviceRuntime& runtime, DeviceQueue& queue)
    : record_(runtime.allocate(sizeof(InputFault))), copy_(runtime.allocate_staging(sizeof(InputFault))) {
    clear(queue);
}

void FaultReport::clear(DeviceQueue& queue) const {
    copy() = {};
    queue.copy_to_device(record_.get(), copy_.get(), sizeof(InputFault));
}

void FaultReport::fetch(DeviceQueue& queue) const {
    queue.copy_to_host(copy_.get(), record_.get(), sizeof(InputFault));
}

/// The device may write the copy while it is looked at. Runs that are still to come would write what is told here again
/// after it was cleared.
std::optional<Error> FaultReport::take(DeviceQueue& queue) const {
    if (std::atomic_ref(copy().finder).load(std::memory_order_relaxed) == 0) return std::nullopt;
    queue.wait();
    const InputFault fault = copy();
    clear(queue);
    return reinterpret_cast<const FaultState*>(fault.finder)->error_of(fault);
}

}  // namespace seq
