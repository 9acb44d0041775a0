#pragma once

#include <memory>
#include <optional>

#include "graph/diagnostic.hpp"
#include "kernels/device.hpp"
#include "kernels/input_fault.hpp"

namespace seq {

/// What the kernels of a session's runs find wrong with their inputs: a record in a device's memory, and its copy in
/// the host's.
class FaultReport {
   public:
    /// Empty, in `queue`'s order, which is that of the runs.
    FaultReport(const DeviceRuntime& runtime, DeviceQueue& queue);

    /// Where kernels write.
    InputFault* record() const { return static_cast<InputFault*>(record_.get()); }
    /// Hands over a copy to the host.
    void fetch(DeviceQueue& queue) const;
    /// What runs that are done found, once; where they found something after all that was handed over is done. Their
    /// FaultStates are still there.
    std::optional<Error> take(DeviceQueue& queue) const;
    /// Forgets what runs found, all of which are done.
    void clear(DeviceQueue& queue) const;

   private:
    InputFault& copy() const { return *static_cast<InputFault*>(copy_.get()); }

    std::shared_ptr<void> record_, copy_;
};

}  // namespace seq
