#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <new>
#include <string>

namespace seq::cuda {

/// The functions of CUDA's runtime that memory, streams and graphs take, so that tests can answer in their place.
struct RuntimeApi {
    const char* (*error_string)(cudaError_t error) = nullptr;
    /// The last error, which is forgotten by that where the device goes on.
    cudaError_t (*take_last_error)() = nullptr;
    cudaError_t (*get_device)(int* device) = nullptr;
    cudaError_t (*set_device)(int device) = nullptr;
    cudaError_t (*device_attribute)(int* value, cudaDeviceAttr attribute, int device) = nullptr;

    cudaError_t (*allocate)(void** memory, std::size_t bytes) = nullptr;
    cudaError_t (*release)(void* memory) = nullptr;
    cudaError_t (*allocate_pinned)(void** memory, std::size_t bytes, unsigned flags) = nullptr;
    cudaError_t (*release_pinned)(void* memory) = nullptr;
    cudaError_t (*memory_info)(std::size_t* free, std::size_t* all) = nullptr;
    cudaError_t (*copy)(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                        cudaStream_t stream) = nullptr;

    cudaError_t (*create_stream)(cudaStream_t* stream, unsigned flags) = nullptr;
    cudaError_t (*destroy_stream)(cudaStream_t stream) = nullptr;
    cudaError_t (*wait_for_stream)(cudaStream_t stream) = nullptr;
    cudaError_t (*create_event)(cudaEvent_t* event) = nullptr;
    cudaError_t (*destroy_event)(cudaEvent_t event) = nullptr;
    cudaError_t (*record_event)(cudaEvent_t event, cudaStream_t stream) = nullptr;
    cudaError_t (*wait_for_event)(cudaEvent_t event) = nullptr;
    cudaError_t (*elapsed)(float* milliseconds, cudaEvent_t start, cudaEvent_t end) = nullptr;
    cudaError_t (*begin_capture)(cudaStream_t stream, cudaStreamCaptureMode mode) = nullptr;
    cudaError_t (*end_capture)(cudaStream_t stream, cudaGraph_t* graph) = nullptr;
    cudaError_t (*instantiate)(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags) = nullptr;
    cudaError_t (*destroy_graph)(cudaGraph_t graph) = nullptr;
    cudaError_t (*launch)(cudaGraphExec_t executable, cudaStream_t stream) = nullptr;
    cudaError_t (*destroy_executable)(cudaGraphExec_t executable) = nullptr;
};

/// CUDA's own.
RuntimeApi runtime_api();

/// "5.0 MiB of its 4.0 GiB are free", of the current device.
std::string free_memory_text(const RuntimeApi& api);

/// Whether CUDA says so of a capture that was disturbed, or of what may not be done during one. The device goes on.
bool is_of_capture(cudaError_t error);

/// Throws Error device/failed, which says what was being done, unless `error` is cudaSuccess; device/memory where the
/// device has no room for a graph, a kernel's code or the like, and device/capture where what is done and a capture of
/// a stream, this thread's or another's, do not go together: after both it goes on.
void check(const RuntimeApi& api, cudaError_t error, const char* doing);

/// Makes a device the calling thread's, and the one before it again afterwards; where CUDA does not let it, no error of
/// that is left for who asks CUDA next.
class CurrentDevice {
   public:
    /// Throws Error device/failed; then the one before it is current.
    CurrentDevice(const RuntimeApi& api, int device);
    /// For destructors: where it cannot be chosen, the one before it stays.
    CurrentDevice(const RuntimeApi& api, int device, std::nothrow_t) noexcept;
    /// Here, so that what is compiled for the device needs nothing else of this file.
    ~CurrentDevice() {
        if (before_ != device_ && api_.set_device(before_) != cudaSuccess) api_.take_last_error();
    }
    CurrentDevice(const CurrentDevice&) = delete;
    CurrentDevice& operator=(const CurrentDevice&) = delete;

   private:
    const RuntimeApi& api_;
    int device_, before_ = 0;
};

}  // namespace seq::cuda
