#include "kernels/cuda/cudnn/cudnn_device.hpp"

#include <fmt/format.h>

#include "graph/diagnostic.hpp"

namespace seq::cuda {
namespace {

/// The same for layers that have the same forms alone.
std::string key_of(const FusedLayer& layer) {
    const LayerForm whole = layer_forms(layer).front();
    return fmt::format("{} | {} | {}", whole.name, text_of(whole.graph), name_of(layer.math));
}

}  // namespace

CudnnDevice::CudnnDevice(const Cudnn& cudnn, const DeviceRuntime& runtime, int device, cudaError_t (*select)(int))
    : cudnn_(cudnn), runtime_(runtime), device_(device), select_(select) {}

CudnnDevice::CudnnDevice(const Cudnn& cudnn, const DeviceRuntime& runtime, DeviceProperties properties)
    : cudnn_(cudnn), runtime_(runtime), properties_(std::move(properties)) {}

CudnnDevice::~CudnnDevice() {
    layers_.clear();
    if (handle_ != nullptr) cudnn_.destroy(handle_);
}

void CudnnDevice::open() const {
    if (properties_) return;
    if (const cudaError_t error = select_(device_); error != cudaSuccess)
        throw Error("device/failed",
                    fmt::format("GPU {} cannot be used: CUDA error {}", device_, static_cast<int>(error)));
    check(cudnn_, cudnn_.create(&handle_), "making a handle");
    properties_ = DeviceProperties::of_device(cudnn_, device_);
}

PlanTarget CudnnDevice::target() const { return {&*properties_, handle_}; }

std::shared_ptr<const LegalLayer> CudnnDevice::legalise(const FusedLayer& layer) const {
    const std::string key = key_of(layer);
    const std::lock_guard lock(mutex_);
    auto& found = layers_[key];
    if (found == nullptr) {
        open();
        found = std::make_shared<const LegalLayer>(cuda::legalise(cudnn_, layer, target(), {}));
    }
    return found;
}

}  // namespace seq::cuda
