#pragma once

#include <memory>

#include "graph/tensor.hpp"
#include "kernels/device.hpp"

namespace seq {

/// A tensor in the memory of a device, or in the host's where that is nullptr.
class DeviceTensor {
   public:
    DeviceTensor(const DeviceRuntime* device, Tensor tensor);

    TensorView view() const;
    /// What lies there, once nothing is being done there.
    Tensor read() const;

   private:
    const DeviceRuntime* device_;
    Tensor host_;
    std::shared_ptr<void> memory_, staging_;
};

}  // namespace seq
