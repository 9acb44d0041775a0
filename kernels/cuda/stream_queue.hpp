#pragma once

#include <cuda_runtime_api.h>

#include "kernels/cuda/runtime/runtime_api.hpp"
#include "kernels/device.hpp"

namespace seq::cuda {

/// A queue whose work goes to a stream of CUDA's: what kernels launch on.
class StreamQueue : public DeviceQueue {
   public:
    virtual cudaStream_t stream() const = 0;
    /// Its device is the calling thread's for as long as the result lives, in which launches on the stream lie.
    virtual CurrentDevice make_current() const = 0;
    /// Throws Error device/failed, or as `check` does, where a launch on the stream did not succeed.
    virtual void check_launch(cudaError_t status) const = 0;
};

}  // namespace seq::cuda
