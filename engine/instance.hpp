#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "engine/plan.hpp"
#include "engine/session.hpp"

namespace seq {

class DeviceSession;

/// One session's buffers for one plan, and the callers' views that it reads and writes.
class Instance {
   public:
    virtual ~Instance() = default;

    const std::shared_ptr<const Plan>& plan() const { return plan_; }
    /// What goes with it.
    virtual std::size_t memory_bytes() const { return plan_->buffer_bytes(); }

    /// Points it at the inputs and outputs, in the order of the plan's ports; every view has the port's sizes.
    /// A null output is computed and dropped. `wiring` tells this from other calls.
    virtual void wire(std::uint64_t wiring, std::span<const TensorView> inputs,
                      std::span<const TensorView> outputs) = 0;
    /// The last call's number; 0: there was none.
    std::uint64_t wiring() const { return wiring_; }

    /// Reads the inputs and writes the outputs of the last call of `wire`. Outside the plan's thread arena where
    /// `is_serial` says so.
    virtual void run(Session::StepObserver* observer) = 0;
    bool is_serial() const { return serial_; }
    /// As Session::not_captured has it.
    virtual std::string not_captured() const { return {}; }
    /// Of does_better_in_turns.
    bool takes_turns() const { return takes_turns_; }

   protected:
    Instance(std::shared_ptr<const Plan> plan, bool takes_turns) : plan_(std::move(plan)), takes_turns_(takes_turns) {}
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    std::shared_ptr<const Plan> plan_;
    std::uint64_t wiring_ = 0;
    bool serial_ = false;
    bool takes_turns_;
};

/// On the host, or in a session of the device that the plan was made for where that is not nullptr.
std::shared_ptr<Instance> make_instance(std::shared_ptr<const Plan> plan, std::shared_ptr<DeviceSession> device,
                                        bool takes_turns);

}  // namespace seq
