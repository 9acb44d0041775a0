#pragma once

#include <memory>
#include <vector>

#include "kernels/cuda/cudnn/cudnn_device.hpp"
#include "kernels/cuda/libraries.hpp"
#include "kernels/cuda/runtime/cuda_runtime.hpp"
#include "kernels/kernel.hpp"

namespace seq::cuda {

/// What one GPU offers to the planner: cuDNN's kernels, and after them our own.
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
    CudnnDevice cudnn_device_;
    std::vector<std::unique_ptr<const Kernel>> cudnn_kernels_;
    KernelList kernels_;
    Backend backend_;
};

/// Throws Error device/unavailable, with the reason, where the GPU of this number cannot be had.
std::unique_ptr<CudaBackend> make_backend(const DeviceQueries& queries, const RuntimeApi& api, const Cudnn& cudnn,
                                          int device);

/// The same of this machine, made once for each GPU and there until the process ends.
const Backend& open_backend(int device);

/// The kernels of a GPU's backend, whether there is one or not: none of them may be prepared.
const KernelList& kernels();

}  // namespace seq::cuda
