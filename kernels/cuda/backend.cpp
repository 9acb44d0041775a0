#include "kernels/cuda/backend.hpp"

#include <fmt/format.h>

#include <map>
#include <mutex>

#include "graph/diagnostic.hpp"
#include "kernels/cuda/cudnn/kernels.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/reorder.hpp"
#include "kernels/cuda/own/view_copy.hpp"
#include "kernels/cuda/probe.hpp"

namespace seq::cuda {
namespace {

std::unique_ptr<PreparedKernel> make_reorder(const Placed& from, const Placed& to, const ComputeOptions&) {
    return own::make_reorder(from, to);
}

/// What measured times hold for.
std::string identity_of(const DeviceQueries& queries, const Cudnn& cudnn, const cudaDeviceProp& properties) {
    int driver = 0;
    queries.driver_version(&driver);
    return fmt::format("{}, compute capability {}.{}, {} multiprocessors, driver for CUDA {}, CUDA {}, cuDNN {}",
                       properties.name, properties.major, properties.minor, properties.multiProcessorCount,
                       cuda_version(driver), cuda_version(CUDART_VERSION), cudnn_version(cudnn.version()));
}

}  // namespace

CudaBackend::CudaBackend(const DeviceQueries& queries, const RuntimeApi& api, const Cudnn& cudnn, int device,
                         const cudaDeviceProp& properties)
    : runtime_(api, cudnn, device),
      cudnn_device_(cudnn, runtime_, api, device),
      cudnn_kernels_(make_cudnn_kernels(cudnn_device_)) {
    for (const auto& kernel : cudnn_kernels_) kernels_.push_back(kernel.get());
    kernels_.insert(kernels_.end(), own::kernels().begin(), own::kernels().end());
    static const GroupKernelList no_groups;
    backend_.name = "cuda";
    backend_.kernels = &kernels_;
    backend_.groups = &no_groups;
    backend_.make_reorder = make_reorder;
    backend_.copy_view = own::copy_view;
    backend_.identity = [queries, &cudnn, properties] { return identity_of(queries, cudnn, properties); };
    backend_.choices_travel = true;
    backend_.lacks = [properties](MathMode mode) { return lack_of_mode(mode, properties); };
    backend_.device = &runtime_;
    backend_.release_unused = [this] { cudnn_device_.release_unused(); };
}

std::unique_ptr<CudaBackend> make_backend(const DeviceQueries& queries, const RuntimeApi& api, const Cudnn& cudnn,
                                          int device) {
    const std::string missing = lack_of_device(queries, cudnn, device);
    if (!missing.empty()) throw Error("device/unavailable", missing);
    cudaDeviceProp properties{};
    queries.device_properties(&properties, device);
    return std::make_unique<CudaBackend>(queries, api, cudnn, device, properties);
}

const KernelList& kernels() {
    static const auto& unseen = *new CudaBackend(runtime_queries(), runtime_api(), cudnn(), 0, {});
    return *unseen.backend().kernels;
}

const Backend& open_backend(int device) {
    static std::mutex mutex;
    // Not destroyed: what is freed while a process ends may come after CUDA has ended.
    static auto& opened = *new std::map<int, std::unique_ptr<CudaBackend>>;
    const std::lock_guard lock(mutex);
    std::unique_ptr<CudaBackend>& slot = opened[device];
    if (slot == nullptr) slot = make_backend(runtime_queries(), runtime_api(), cudnn(), device);
    return slot->backend();
}

}  // namespace seq::cuda
