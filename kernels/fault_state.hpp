#pragma once

#include "graph/diagnostic.hpp"
#include "kernels/input_fault.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// The state of a kernel of a device that may find its inputs wrong. On the CPU `run` throws that itself.
class FaultState : public KernelState {
   public:
    /// What a fault means whose finder is this state.
    virtual Error error_of(const InputFault& fault) const = 0;

    /// Where the kernel's runs write what they find, in the device's memory; nullptr: nobody looks.
    InputFault* record = nullptr;
};

}  // namespace seq
