#pragma once

#include <memory>

#include "kernels/cuda/libraries.hpp"
#include "kernels/cuda/runtime/runtime_api.hpp"
#include "kernels/cuda/runtime/weight_chunks.hpp"
#include "kernels/device.hpp"

namespace seq::cuda {

/// The memory and the queues of one GPU. Several threads may use it. Queues do not live longer, memory may.
class CudaRuntime final : public DeviceRuntime {
   public:
    /// Nothing is asked of the GPU before the first call.
    CudaRuntime(const RuntimeApi& api, const Cudnn& cudnn, int device);
    ~CudaRuntime() override;

    std::size_t cache_bytes() const override;
    std::shared_ptr<void> allocate(std::size_t bytes) const override;
    /// Pinned.
    std::shared_ptr<void> allocate_staging(std::size_t bytes) const override;
    std::shared_ptr<const void> upload(const void* host, std::size_t bytes) const override;
    std::unique_ptr<DeviceQueue> make_queue() const override;
    std::unique_ptr<DeviceQueue> make_queue_on(void* stream) const override;

    int device() const { return device_; }

   private:
    cudaStream_t upload_stream() const;

    const RuntimeApi api_;
    const Cudnn& cudnn_;
    int device_;
    mutable WeightChunks weights_;
    mutable std::mutex mutex_;
    mutable cudaStream_t upload_stream_ = nullptr;
};

}  // namespace seq::cuda
