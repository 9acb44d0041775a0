#include <limits>

#include "tests/cuda/emulated_cuda.hpp"
#include "tests/gpu/gpu.hpp"

namespace seq::tests {
namespace {

/// What tests/gpu run on here.
class EmulatedGpu final : public Gpu {
   public:
    const Backend& backend() const override { return cuda_.backend(); }
    std::shared_ptr<void> make_stream() const override { return std::make_shared<EmulatedDevice::Stream>(); }
    void wait_for(void* stream) const override { static_cast<EmulatedDevice::Stream*>(stream)->wait(); }
    void wait_for_all() const override { cuda_.memory().disturb_captures(1); }
    std::shared_ptr<void> take_memory() const override {
        const EmulatedDevice& memory = cuda_.memory();
        memory.limit_memory(memory.bytes_in_use());
        return {const_cast<EmulatedGpu*>(this),
                [&memory](void*) { memory.limit_memory(std::numeric_limits<std::size_t>::max()); }};
    }

   private:
    EmulatedCuda cuda_;
};

}  // namespace

const Gpu& gpu() {
    // Never destroyed: what it is made of goes at any time.
    static const auto& gpu = *new EmulatedGpu;
    return gpu;
}

bool is_gpu_emulated() { return true; }

}  // namespace seq::tests
