#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "kernels/cuda/cudnn/legalise.hpp"
#include "kernels/device.hpp"

namespace seq::cuda {

/// A device that cuDNN plans for, and the plans that were made. Several threads may use it. What it is made with has to
/// outlive it.
class CudnnDevice {
   public:
    /// CUDA's device of this number; a handle is made when the first plan is. `select`: cudaSetDevice.
    CudnnDevice(const Cudnn& cudnn, const DeviceRuntime& runtime, int device, cudaError_t (*select)(int));
    /// One that only its properties tell of: without plans that are compiled at run time.
    CudnnDevice(const Cudnn& cudnn, const DeviceRuntime& runtime, DeviceProperties properties);
    ~CudnnDevice();

    const Cudnn& cudnn() const { return cudnn_; }
    const DeviceRuntime& runtime() const { return runtime_; }

    /// What `seq::cuda::legalise` gives, once for each layer. Throws CudnnError as it does.
    std::shared_ptr<const LegalLayer> legalise(const FusedLayer& layer) const;

   private:
    PlanTarget target() const;
    void open() const;

    const Cudnn& cudnn_;
    const DeviceRuntime& runtime_;
    int device_ = -1;
    cudaError_t (*select_)(int) = nullptr;
    mutable std::mutex mutex_;
    mutable std::optional<DeviceProperties> properties_;
    mutable cudnnHandle_t handle_ = nullptr;
    /// By the layer's first form and its math mode.
    mutable std::map<std::string, std::shared_ptr<const LegalLayer>> layers_;
};

}  // namespace seq::cuda
