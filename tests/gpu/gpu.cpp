#include "tests/gpu/gpu.hpp"

#include <cstring>

#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"

namespace seq::tests {

std::shared_ptr<CompiledModel> on_gpu(const Graph& graph, MathMode math, CompileOptions options,
                                      const Backend& backend) {
    options.device = Device::cuda();
    options.dtype = math;
    if (options.weights == nullptr) options.weights = random_weights(needed_parameters(graph), 5);
    return std::make_shared<CompiledModel>(graph, options, backend);
}

const Backend& own_kernels_alone() {
    static const KernelList kernels = [] {
        KernelList own = *gpu().backend().kernels;
        std::erase_if(own, [](const Kernel* kernel) { return kernel->name().starts_with("cudnn."); });
        return own;
    }();
    static const Backend backend = [] {
        Backend own = gpu().backend();
        own.kernels = &kernels;
        return own;
    }();
    return backend;
}

OnGpu::OnGpu(const Tensor& tensor)
    : memory_(gpu().backend().device->allocate(tensor.byte_count())), view_(tensor.view()) {
    const DeviceRuntime& device = *gpu().backend().device;
    const auto staging = device.allocate_staging(tensor.byte_count());
    std::memcpy(staging.get(), tensor.view().data, tensor.byte_count());
    const auto queue = device.make_queue();
    queue->copy_to_device(memory_.get(), staging.get(), tensor.byte_count());
    queue->wait();
    view_.data = memory_.get();
    view_.device = Device::cuda();
}

Tensor OnGpu::read() const {
    const DeviceRuntime& device = *gpu().backend().device;
    Tensor tensor(view_.dtype, view_.sizes());
    const auto staging = device.allocate_staging(tensor.byte_count());
    const auto queue = device.make_queue();
    queue->copy_to_host(staging.get(), memory_.get(), tensor.byte_count());
    queue->wait();
    std::memcpy(tensor.view().data, staging.get(), tensor.byte_count());
    return tensor;
}

std::vector<NamedArray> like(const std::vector<NamedArray>& arrays) {
    std::vector<NamedArray> others;
    for (const NamedArray& array : arrays)
        others.push_back({array.name, Tensor(array.tensor.dtype(), array.tensor.sizes())});
    return others;
}

bool same_bytes(const std::vector<NamedArray>& a, const std::vector<NamedArray>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::memcmp(a[i].tensor.view().data, b[i].tensor.view().data, a[i].tensor.byte_count()) != 0) return false;
    }
    return a.size() == b.size();
}

}  // namespace seq::tests
