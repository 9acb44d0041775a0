#pragma once

#include <cudnn.h>

namespace seq::cuda {

/// What a DeviceQueue is as well where cuDNN can hand it work.
class CudnnQueue {
   public:
    virtual ~CudnnQueue() = default;
    /// A handle of this queue's alone, whose work goes to it; the same at every call. Throws Error device/failed,
    /// or device/memory where there is no room for one now.
    virtual cudnnHandle_t cudnn_handle() = 0;
};

}  // namespace seq::cuda
