#include "kernels/cuda/runtime/cuda_runtime.hpp"

#include <fmt/format.h>

#include "graph/diagnostic.hpp"
#include "graph/memory_text.hpp"
#include "kernels/cuda/runtime/capture_scope.hpp"
#include "kernels/cuda/runtime/cuda_queue.hpp"

namespace seq::cuda {
namespace {

[[noreturn]] void refuse_device_memory(const RuntimeApi& api, int device, std::size_t bytes) {
    api.take_last_error();
    throw Error("device/memory",
                fmt::format("GPU {} has no room for {}: {}", device, memory_text(bytes), free_memory_text(api)));
}

/// Memory that `release` frees, which may wait for the device.
std::shared_ptr<void> owned(void* memory, cudaError_t (*release)(void*)) {
    return {memory, [release](void* freed) {
                const DeviceWideScope scope;
                release(freed);
            }};
}

}  // namespace

CudaRuntime::CudaRuntime(const RuntimeApi& api, const Cudnn& cudnn, int device)
    : api_(api), cudnn_(cudnn), device_(device), weights_([this](std::size_t bytes) { return allocate(bytes); }) {}

CudaRuntime::~CudaRuntime() {
    if (upload_stream_ != nullptr) api_.destroy_stream(upload_stream_);
}

std::size_t CudaRuntime::cache_bytes() const {
    int bytes = 0;
    check(api_, api_.device_attribute(&bytes, cudaDevAttrL2CacheSize, device_), "asking for the size of its cache");
    return static_cast<std::size_t>(bytes);
}

std::shared_ptr<void> CudaRuntime::allocate(std::size_t bytes) const {
    if (bytes == 0) return nullptr;
    const CurrentDevice current(api_, device_);
    void* memory = nullptr;
    const cudaError_t error = api_.allocate(&memory, bytes);
    if (error == cudaErrorMemoryAllocation) refuse_device_memory(api_, device_, bytes);
    check(api_, error, "allocating memory");
    return owned(memory, api_.release);
}

std::shared_ptr<void> CudaRuntime::allocate_staging(std::size_t bytes) const {
    if (bytes == 0) return nullptr;
    const CurrentDevice current(api_, device_);
    void* memory = nullptr;
    const cudaError_t error = api_.allocate_pinned(&memory, bytes, cudaHostAllocDefault);
    if (error == cudaErrorMemoryAllocation) {
        api_.take_last_error();
        throw Error("device/memory", fmt::format("the host has no room for {} that GPU {} could copy from and to",
                                                 memory_text(bytes), device_));
    }
    check(api_, error, "allocating pinned memory");
    return owned(memory, api_.release_pinned);
}

/// A stream of its own: others do not wait for the default one.
cudaStream_t CudaRuntime::upload_stream() const {
    const std::lock_guard lock(mutex_);
    if (upload_stream_ == nullptr)
        check(api_, api_.create_stream(&upload_stream_, cudaStreamNonBlocking), "making a stream");
    return upload_stream_;
}

std::shared_ptr<const void> CudaRuntime::upload(const void* host, std::size_t bytes) const {
    if (bytes == 0) return nullptr;
    const CurrentDevice current(api_, device_);
    std::shared_ptr<void> copy = weights_.take(bytes);
    const cudaStream_t stream = upload_stream();
    check(api_, api_.copy(copy.get(), host, bytes, cudaMemcpyHostToDevice, stream), "copying weights to it");
    check(api_, api_.wait_for_stream(stream), "copying weights to it");
    return copy;
}

std::unique_ptr<DeviceQueue> CudaRuntime::make_queue() const {
    return std::make_unique<CudaQueue>(api_, cudnn_, device_);
}

std::unique_ptr<DeviceQueue> CudaRuntime::make_queue_on(void* stream) const {
    return std::make_unique<CudaQueue>(api_, cudnn_, device_, static_cast<cudaStream_t>(stream));
}

}  // namespace seq::cuda
