#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "kernels/cuda/cudnn/legalise.hpp"
#include "kernels/cuda/runtime/runtime_api.hpp"
#include "kernels/device.hpp"

namespace seq::cuda {

/// A device that cuDNN plans for, and the plans that were made. Several threads may use it. What it is made with has to
/// outlive it.
class CudnnDevice {
   public:
    /// CUDA's device of this number; a handle is made when the first plan is.
    CudnnDevice(const Cudnn& cudnn, const DeviceRuntime& runtime, const RuntimeApi& api, int device);
    /// One that only its properties tell of: without plans that are compiled at run time.
    CudnnDevice(const Cudnn& cudnn, const DeviceRuntime& runtime, DeviceProperties properties);
    ~CudnnDevice();

    const Cudnn& cudnn() const { return cudnn_; }
    const DeviceRuntime& runtime() const { return runtime_; }

    /// What `seq::cuda::legalise` gives, or find_variant where `variant` is not empty, once for each layer. Throws
    /// CudnnError as they do.
    std::shared_ptr<const LegalLayer> legalise(const FusedLayer& layer, const std::string& variant = {}) const;
    /// The variants of all legal_forms.
    std::vector<std::string> variants(const FusedLayer& layer) const;

   private:
    /// Calls `plan` with the target, one thread at a time, with the device as the calling thread's.
    void plan_with(const std::function<void(const PlanTarget&)>& plan) const;
    void open() const;

    const Cudnn& cudnn_;
    const DeviceRuntime& runtime_;
    /// None where only properties tell of it.
    std::optional<RuntimeApi> api_;
    int device_ = -1;
    mutable std::mutex mutex_;
    mutable std::optional<DeviceProperties> properties_;
    mutable cudnnHandle_t handle_ = nullptr;
    /// By the layer's first form, its math mode and the variant.
    mutable std::map<std::pair<std::string, std::string>, std::shared_ptr<const LegalLayer>> layers_;
    mutable std::map<std::string, std::vector<std::string>> variants_;
};

}  // namespace seq::cuda
