#include "tests/cuda/emulated_cuda.hpp"

#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "kernels/cuda/cudnn/cudnn_queue.hpp"
#include "kernels/cuda/own/host_queue.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/reorder.hpp"
#include "kernels/cuda/own/view_copy.hpp"
#include "tests/cuda/graph_run.hpp"

namespace seq::tests {
namespace {

using namespace cuda;

constexpr const char* properties = R"({"deviceName": "an emulated GPU"})";

/// An emulated device's queue on which kernels of GPUs work.
class EmulatedCudaQueue final : public own::HostQueue, public CudnnQueue, public EmulatedWork {
   public:
    explicit EmulatedCudaQueue(std::unique_ptr<DeviceQueue> queue)
        : queue_(std::move(queue)), work_(dynamic_cast<EmulatedWork&>(*queue_)) {}

    void submit(std::function<void()> work) override { work_.submit_kernel(std::move(work)); }
    void submit_kernel(std::function<void()> work) override { work_.submit_kernel(std::move(work)); }
    /// The queue itself.
    cudnnHandle_t cudnn_handle() override { return reinterpret_cast<cudnnHandle_t>(this); }

    void copy_to_device(void* device, const void* host, std::size_t bytes) override {
        queue_->copy_to_device(device, host, bytes);
    }
    void copy_to_host(void* host, const void* device, std::size_t bytes) override {
        queue_->copy_to_host(host, device, bytes);
    }
    void copy_on_device(void* to, const void* from, std::size_t bytes) override {
        queue_->copy_on_device(to, from, bytes);
    }
    std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) override { return queue_->capture(work); }
    void launch(const DeviceGraph& graph) override { queue_->launch(graph); }
    void wait() override { queue_->wait(); }
    double microseconds(const std::function<void()>& work) override { return queue_->microseconds(work); }

   private:
    std::unique_ptr<DeviceQueue> queue_;
    EmulatedWork& work_;
};

cudnnStatus_t execute(const FakeRun& run) {
    auto& queue = *reinterpret_cast<EmulatedCudaQueue*>(run.handle);
    queue.submit([graph = run.graph, pointers = run.pointers] {
        run_graph(graph, pointers);
        ++EmulatedCuda::graphs_computed;
    });
    return CUDNN_STATUS_SUCCESS;
}

}  // namespace

EmulatedCuda::EmulatedCuda(bool handles)
    : cuda_(handles ? std::make_unique<FakeRuntime>() : nullptr),
      cudnn_(handles ? CudnnDevice(fake.table, *this, cuda_->table, 0)
                     : CudnnDevice(fake.table, *this, DeviceProperties::from_json(fake.table, properties))),
      cudnn_kernels_(make_cudnn_kernels(cudnn_)),
      backend_(memory_.backend()) {
    fake.on_execute = execute;
    for (const auto& kernel : cudnn_kernels_) kernels_.push_back(kernel.get());
    kernels_.insert(kernels_.end(), own::kernels().begin(), own::kernels().end());
    backend_.kernels = &kernels_;
    backend_.make_reorder = [](const Placed& from, const Placed& to, const ComputeOptions&) {
        return own::make_reorder(from, to);
    };
    backend_.copy_view = own::copy_view;
    backend_.lacks = [](MathMode) { return std::string(); };
    backend_.device = this;
    backend_.identity = [this] { return identity; };
    backend_.choices_travel = true;
    backend_.release_unused = [this] { cudnn_.release_unused(); };
}

std::unique_ptr<DeviceQueue> EmulatedCuda::make_queue() const {
    ++queues_made;
    return std::make_unique<EmulatedCudaQueue>(memory_.make_queue());
}

std::unique_ptr<DeviceQueue> EmulatedCuda::make_queue_on(void* stream) const {
    return std::make_unique<EmulatedCudaQueue>(memory_.make_queue_on(stream));
}

CompileOptions options_on_gpu(const Graph& graph, const std::string& timings) {
    CompileOptions options;
    options.device = Device::cuda();
    options.weights = random_weights(needed_parameters(graph), 5);
    options.tune = timings.empty() ? Tune::none : Tune::fast;
    options.timing_cache = timings;
    return options;
}

}  // namespace seq::tests
