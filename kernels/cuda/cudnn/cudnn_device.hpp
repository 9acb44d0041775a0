#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "kernels/cuda/cudnn/legalise.hpp"
#include "kernels/cuda/cudnn/stored_plan.hpp"
#include "kernels/cuda/runtime/runtime_api.hpp"
#include "kernels/device.hpp"
#include "kernels/kernel.hpp"

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

    /// What `seq::cuda::legalise` gives, or find_variant where `variant` is not empty, once for each layer. `builds`:
    /// as in PlanOptions. Throws CudnnError as they do.
    std::shared_ptr<const LegalLayer> legalise(const FusedLayer& layer, const std::string& variant = {},
                                               const Builds* builds = nullptr) const;
    /// The variants of all legal_forms. Where memory was short for some they are looked for again the next time.
    Variants variants(const FusedLayer& layer, const Builds* builds = nullptr) const;
    /// Of its plans, once there is one.
    PlanOrigin origin() const { return origin_of(cudnn_, properties_->name()); }
    /// Hands a plan of this device to `handle`'s stream, one at a time: cuDNN does not promise that several threads may
    /// run one plan at once, each with a handle of its own. Throws CudnnError.
    void execute(cudnnHandle_t handle, const Plan& plan, const Descriptor& pack) const;
    /// The functions of these names, with what is free on this device.
    Error error_of(const CudnnError& error, std::string_view what) const;
    Error error_of_planning(const CudnnError& error) const;
    /// Destroys the plans of layers that nobody holds; that a layer has none is remembered.
    void release_unused() const;

   private:
    /// Calls `plan` with the target, one thread at a time, with the device as the calling thread's.
    void plan_with(const std::function<void(const PlanTarget&)>& plan) const;
    void open() const;
    /// The plan that legalise gave for the layer of this key where it was told no variant; none where somebody runs it.
    FormPlan take_favourite(const std::string& key) const;

    const Cudnn& cudnn_;
    const DeviceRuntime& runtime_;
    /// None where only properties tell of it.
    std::optional<RuntimeApi> api_;
    int device_ = -1;
    mutable std::mutex mutex_, run_mutex_;
    mutable std::optional<DeviceProperties> properties_;
    mutable cudnnHandle_t handle_ = nullptr;
    /// By the layer's first form, its math mode and the variant.
    mutable std::map<std::pair<std::string, std::string>, std::shared_ptr<LegalLayer>> layers_;
    mutable std::map<std::string, std::vector<std::string>> variants_;
    /// The variants that legalise gave where it was told none.
    mutable std::map<std::string, std::string> favourites_;
};

}  // namespace seq::cuda
