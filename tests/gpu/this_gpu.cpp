#include <vector>

#include "engine/devices.hpp"
#include "kernels/cuda/runtime/runtime_api.hpp"
#include "tests/gpu/gpu.hpp"

namespace seq::tests {
namespace {

/// The first of this machine.
class ThisGpu final : public Gpu {
   public:
    const Backend& backend() const override { return backend_of(Device::cuda()); }

    std::shared_ptr<void> make_stream() const override {
        cudaStream_t stream = nullptr;
        check(api_, api_.create_stream(&stream, cudaStreamNonBlocking), "making a stream");
        return {stream, [destroy = api_.destroy_stream](void* made) { destroy(static_cast<cudaStream_t>(made)); }};
    }
    void wait_for(void* stream) const override {
        check(api_, api_.wait_for_stream(static_cast<cudaStream_t>(stream)), "running");
    }

    /// What CUDA answers during a capture is no error of the GPU's.
    void wait_for_all() const override {
        if (const cudaError_t error = cudaDeviceSynchronize(); !cuda::is_of_capture(error))
            check(api_, error, "waiting for the GPU");
        api_.take_last_error();
    }

    std::shared_ptr<void> take_memory() const override {
        auto pieces = std::make_shared<std::vector<std::shared_ptr<void>>>();
        for (std::size_t bytes = std::size_t{16} << 30; bytes >= std::size_t{1} << 20; bytes /= 4) {
            try {
                while (true) pieces->push_back(backend().device->allocate(bytes));
            } catch (const Error&) {
                // The next smaller ones.
            }
        }
        return pieces;
    }

   private:
    cuda::RuntimeApi api_ = cuda::runtime_api();
};

}  // namespace

const Gpu& gpu() {
    static const ThisGpu gpu;
    return gpu;
}

bool is_gpu_emulated() { return false; }

}  // namespace seq::tests
