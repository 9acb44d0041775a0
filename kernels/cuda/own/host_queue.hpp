#pragma once

#include <functional>

#include "kernels/device.hpp"

namespace seq::cuda::own {

/// A queue of the host's that stands in for a GPU's: what kernels built for the host launch on.
class HostQueue : public DeviceQueue {
   public:
    virtual void submit(std::function<void()> work) = 0;
};

}  // namespace seq::cuda::own
