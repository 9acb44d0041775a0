#include "kernels/cuda/runtime/cuda_queue.hpp"

#include <fmt/format.h>

#include <exception>

#include "graph/diagnostic.hpp"
#include "kernels/cuda/cudnn/status.hpp"
#include "kernels/cuda/runtime/capture_scope.hpp"

namespace seq::cuda {
namespace {

class CudaGraph final : public DeviceGraph {
   public:
    CudaGraph(const RuntimeApi& api, cudaGraph_t graph) : api_(api) {
        const cudaError_t error = api_.instantiate(&executable_, graph, 0);
        api_.destroy_graph(graph);
        check(api_, error, "making a graph of a run");
    }
    ~CudaGraph() override { api_.destroy_executable(executable_); }

    cudaGraphExec_t executable() const { return executable_; }

   private:
    const RuntimeApi& api_;
    cudaGraphExec_t executable_ = nullptr;
};

/// A point in a stream.
class Event {
   public:
    explicit Event(const RuntimeApi& api) : api_(api) { check(api_, api_.create_event(&event_), "making an event"); }
    ~Event() { api_.destroy_event(event_); }
    Event(const Event&) = delete;

    void record(cudaStream_t stream) { check(api_, api_.record_event(event_, stream), "recording an event"); }
    void wait() { check(api_, api_.wait_for_event(event_), "running"); }
    double microseconds_since(const Event& start) const {
        float milliseconds = 0;
        check(api_, api_.elapsed(&milliseconds, start.event_, event_), "reading a time");
        return 1e3 * double{milliseconds};
    }

   private:
    const RuntimeApi& api_;
    cudaEvent_t event_ = nullptr;
};

/// Throws again what captured work threw; as device/capture where the device failed at it and the capture was
/// disturbed: then it may have failed of that alone, which cuDNN does not tell.
[[noreturn]] void rethrow(const std::exception_ptr& fault, bool was_disturbed) {
    try {
        std::rethrow_exception(fault);
    } catch (const Error& error) {
        if (!was_disturbed || error.code() != "device/failed") throw;
        throw Error("device/capture", fmt::format("a capture was disturbed: {}", error.what()));
    }
}

}  // namespace

CudaQueue::CudaQueue(const RuntimeApi& api, const Cudnn& cudnn, int device)
    : api_(api), cudnn_(cudnn), device_(device), own_(make_stream()), runs_(own_), current_(own_) {}

CudaQueue::CudaQueue(const RuntimeApi& api, const Cudnn& cudnn, int device, cudaStream_t stream)
    : api_(api), cudnn_(cudnn), device_(device), runs_(stream), current_(stream) {}

CudaQueue::~CudaQueue() {
    const DeviceWideScope scope;
    const CurrentDevice current(api_, device_, std::nothrow);
    if (handle_ != nullptr) cudnn_.destroy(handle_);
    if (own_ != nullptr) api_.destroy_stream(own_);
}

cudaStream_t CudaQueue::make_stream() {
    const CurrentDevice current(api_, device_);
    cudaStream_t stream = nullptr;
    check(api_, api_.create_stream(&stream, cudaStreamNonBlocking), "making a stream");
    return stream;
}

void CudaQueue::copy_to_device(void* device, const void* host, std::size_t bytes) {
    copy(device, host, bytes, cudaMemcpyHostToDevice);
}
void CudaQueue::copy_to_host(void* host, const void* device, std::size_t bytes) {
    copy(host, device, bytes, cudaMemcpyDeviceToHost);
}
void CudaQueue::copy_on_device(void* to, const void* from, std::size_t bytes) {
    copy(to, from, bytes, cudaMemcpyDeviceToDevice);
}

void CudaQueue::copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
    if (bytes == 0) return;
    const CurrentDevice current(api_, device_);
    check(api_, api_.copy(to, from, bytes, kind, current_), "copying");
}

cudaGraph_t CudaQueue::record(const std::function<void()>& work) {
    const CaptureScope scope;
    check(api_, api_.begin_capture(own_, cudaStreamCaptureModeThreadLocal), "beginning to capture a run");
    std::exception_ptr fault;
    current_ = own_;
    try {
        work();
    } catch (...) {
        fault = std::current_exception();
    }
    current_ = runs_;
    cudaGraph_t graph = nullptr;
    const cudaError_t error = api_.end_capture(own_, &graph);
    if (fault == nullptr) {
        check(api_, error, "capturing a run");
        return graph;
    }
    if (graph != nullptr) api_.destroy_graph(graph);
    api_.take_last_error();
    rethrow(fault, is_of_capture(error));
}

std::unique_ptr<DeviceGraph> CudaQueue::capture(const std::function<void()>& work) {
    if (own_ == nullptr) own_ = make_stream();
    const CurrentDevice current(api_, device_);
    return std::make_unique<CudaGraph>(api_, record(work));
}

void CudaQueue::launch(const DeviceGraph& graph) {
    const CurrentDevice current(api_, device_);
    check(api_, api_.launch(static_cast<const CudaGraph&>(graph).executable(), current_), "launching a run");
}

void CudaQueue::wait() {
    const CurrentDevice current(api_, device_);
    check(api_, api_.wait_for_stream(current_), "running");
}

double CudaQueue::microseconds(const std::function<void()>& work) {
    const CurrentDevice current(api_, device_);
    Event start(api_), end(api_);
    start.record(current_);
    work();
    end.record(current_);
    end.wait();
    return end.microseconds_since(start);
}

void CudaQueue::make_handle() {
    const DeviceWideScope scope;
    const CurrentDevice current(api_, device_);
    check(cudnn_, cudnn_.create(&handle_), "making a handle");
}

cudnnHandle_t CudaQueue::cudnn_handle() {
    const CurrentDevice current(api_, device_);
    try {
        if (handle_ == nullptr) make_handle();
        if (handle_stream_ != current_ || current_ == nullptr)
            check(cudnn_, cudnn_.set_stream(handle_, current_), "choosing a stream");
    } catch (const CudnnError& error) {
        throw error_of(error, "a queue's handle", &api_);
    }
    handle_stream_ = current_;
    return handle_;
}

}  // namespace seq::cuda
