#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "engine/compile.hpp"
#include "kernels/cuda/cudnn/kernels.hpp"
#include "tests/cuda/fake_cudnn.hpp"
#include "tests/cuda/fake_runtime.hpp"
#include "tests/engine/emulated_device.hpp"

namespace seq::tests {

/// An emulated device with the kernels of a GPU: cuDNN's, on a fake that computes graphs on the host, and then our
/// own.
class EmulatedCuda final : public DeviceRuntime {
   public:
    /// `handles`: as on a GPU, where cuDNN compiles too; else its properties alone tell of it.
    explicit EmulatedCuda(bool handles = false);

    std::size_t cache_bytes() const override { return memory_.cache_bytes(); }
    std::shared_ptr<void> allocate(std::size_t bytes) const override { return memory_.allocate(bytes); }
    std::shared_ptr<void> allocate_staging(std::size_t bytes) const override { return memory_.allocate_staging(bytes); }
    std::shared_ptr<const void> upload(const void* host, std::size_t bytes) const override {
        return memory_.upload(host, bytes);
    }
    std::unique_ptr<DeviceQueue> make_queue() const override;
    std::unique_ptr<DeviceQueue> make_queue_on(void* stream) const override;

    const Backend& backend() const { return backend_; }
    EmulatedDevice::Counts& counts() const { return memory_.counts(); }
    const EmulatedDevice& memory() const { return memory_; }

    /// Operation graphs of cuDNN's, on all of them.
    static inline int graphs_computed = 0;

    FakeCudnn fake;
    mutable std::atomic<int> queues_made = 0;
    /// Of its backend.
    std::string identity = "an emulated GPU";

   private:
    EmulatedDevice memory_;
    std::unique_ptr<FakeRuntime> cuda_;
    cuda::CudnnDevice cudnn_;
    std::vector<std::unique_ptr<const Kernel>> cudnn_kernels_;
    KernelList kernels_;
    Backend backend_;
};

/// To compile for a GPU with random weights; tuned where a file is named that keeps the times.
CompileOptions options_on_gpu(const Graph& graph, const std::string& timings = {});

}  // namespace seq::tests
