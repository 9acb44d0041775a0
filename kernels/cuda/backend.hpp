#pragma once

#include <memory>

#include "kernels/cuda/libraries.hpp"
#include "kernels/cuda/runtime/cuda_runtime.hpp"
#include "kernels/kernel.hpp"

namespace seq::cuda {

/// What one GPU offers to the planner.
class CudaBackend {
   public:
    /// `properties` are the device's.
    CudaBackend(const DeviceQueries& queries, const RuntimeApi& api, const Cudnn& cudnn, int device,
                const cudaDeviceProp& properties);
    CudaBackend(const CudaBackend&) = delete;
    CudaBackend& operator=(const CudaBackend&) = delete;

    const Backend& backend() const { return backend_; }

   private:
    CudaRuntime runtime_;
    Backend backend_;
};

/// Throws Error device/unavailable, with the reason, where the GPU of this number cannot be had.
std::unique_ptr<CudaBackend> make_backend(const DeviceQueries& queries, const RuntimeApi& api, const Cudnn& cudnn,
                                          int device);

/// The same of this machine, made once for each GPU and there until the process ends.
const Backend& open_backend(int device);

/// cuDNN's, then our own, in the order in which they are tried.
const KernelList& kernels();

}  // namespace seq::cuda
