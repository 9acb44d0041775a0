#include "kernels/cuda/runtime/runtime_api.hpp"

#include <fmt/format.h>

#include "graph/diagnostic.hpp"
#include "graph/memory_text.hpp"

namespace seq::cuda {

RuntimeApi runtime_api() {
    RuntimeApi api;
    api.error_string = cudaGetErrorString;
    api.take_last_error = cudaGetLastError;
    api.get_device = cudaGetDevice;
    api.set_device = cudaSetDevice;
    api.device_attribute = cudaDeviceGetAttribute;
    api.allocate = cudaMalloc;
    api.release = cudaFree;
    api.allocate_pinned = cudaHostAlloc;
    api.release_pinned = cudaFreeHost;
    api.memory_info = cudaMemGetInfo;
    api.copy = cudaMemcpyAsync;
    api.create_stream = cudaStreamCreateWithFlags;
    api.destroy_stream = cudaStreamDestroy;
    api.wait_for_stream = cudaStreamSynchronize;
    api.create_event = cudaEventCreate;
    api.destroy_event = cudaEventDestroy;
    api.record_event = cudaEventRecord;
    api.wait_for_event = cudaEventSynchronize;
    api.elapsed = cudaEventElapsedTime;
    api.begin_capture = cudaStreamBeginCapture;
    api.end_capture = cudaStreamEndCapture;
    api.instantiate = cudaGraphInstantiate;
    api.destroy_graph = cudaGraphDestroy;
    api.launch = cudaGraphLaunch;
    api.destroy_executable = cudaGraphExecDestroy;
    return api;
}

std::string free_memory_text(const RuntimeApi& api) {
    std::size_t free = 0, all = 0;
    if (api.memory_info(&free, &all) != cudaSuccess) {
        api.take_last_error();  // the next launch would be blamed for it
        return "how much it has left is not known";
    }
    return fmt::format("{} of its {} are free", memory_text(free), memory_text(all));
}

bool is_of_capture(cudaError_t error) {
    return error >= cudaErrorStreamCaptureUnsupported && error <= cudaErrorStreamCaptureWrongThread;
}

void check(const RuntimeApi& api, cudaError_t error, const char* doing) {
    if (error == cudaSuccess) return;
    api.take_last_error();
    if (error == cudaErrorMemoryAllocation)
        throw Error("device/memory",
                    fmt::format("the GPU has no room for what {} takes: {}", doing, free_memory_text(api)));
    if (is_of_capture(error))
        throw Error("device/capture", fmt::format("a capture of a stream came between at {}: {} (CUDA error {})", doing,
                                                  api.error_string(error), static_cast<int>(error)));
    throw Error("device/failed", fmt::format("the GPU failed at {}: {} (CUDA error {})", doing, api.error_string(error),
                                             static_cast<int>(error)));
}

CurrentDevice::CurrentDevice(const RuntimeApi& api, int device) : api_(api), device_(device) {
    check(api_, api_.get_device(&before_), "asking for the current device");
    if (before_ != device_) check(api_, api_.set_device(device_), "choosing the device");
}

CurrentDevice::CurrentDevice(const RuntimeApi& api, int device, std::nothrow_t) noexcept
    : api_(api), device_(device), before_(device) {
    int before = device;
    cudaError_t error = api_.get_device(&before);
    if (error == cudaSuccess && before != device) error = api_.set_device(device);
    if (error == cudaSuccess)
        before_ = before;
    else
        api_.take_last_error();
}

}  // namespace seq::cuda
