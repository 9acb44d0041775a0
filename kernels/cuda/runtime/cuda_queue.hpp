#pragma once

#include "kernels/cuda/cudnn/cudnn_queue.hpp"
#include "kernels/cuda/libraries.hpp"
#include "kernels/cuda/runtime/runtime_api.hpp"
#include "kernels/cuda/stream_queue.hpp"

namespace seq::cuda {

/// A stream, with a handle of cuDNN for it.
class CudaQueue final : public StreamQueue, public CudnnQueue {
   public:
    /// On a stream of its own.
    CudaQueue(const RuntimeApi& api, const Cudnn& cudnn, int device);
    /// On the caller's, which lives longer. It is not captured itself: it may be the default one, or one that the
    /// caller captures.
    CudaQueue(const RuntimeApi& api, const Cudnn& cudnn, int device, cudaStream_t stream);
    ~CudaQueue() override;

    void copy_to_device(void* device, const void* host, std::size_t bytes) override;
    void copy_to_host(void* host, const void* device, std::size_t bytes) override;
    void copy_on_device(void* to, const void* from, std::size_t bytes) override;
    std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) override;
    void launch(const DeviceGraph& graph) override;
    void wait() override;
    double microseconds(const std::function<void()>& work) override;

    cudaStream_t stream() const override { return current_; }
    CurrentDevice make_current() const override { return {api_, device_}; }
    void check_launch(cudaError_t status) const override { check(api_, status, "launching a kernel"); }
    /// For that stream; made at the first call, which may not be one while work is captured.
    cudnnHandle_t cudnn_handle() override;

   private:
    void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind);
    cudaStream_t make_stream();
    void make_handle();
    cudaGraph_t record(const std::function<void()>& work);

    const RuntimeApi& api_;
    const Cudnn& cudnn_;
    int device_;
    cudaStream_t own_ = nullptr;   ///< what is captured
    cudaStream_t runs_ = nullptr;  ///< where work is done
    cudaStream_t current_ = nullptr;
    cudnnHandle_t handle_ = nullptr;
    cudaStream_t handle_stream_ = nullptr;
};

}  // namespace seq::cuda
