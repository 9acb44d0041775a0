#include "tools/gpu_board/device_tensor.hpp"

#include <cstring>
#include <utility>

namespace seq {

DeviceTensor::DeviceTensor(const DeviceRuntime* device, Tensor tensor) : device_(device), host_(std::move(tensor)) {
    if (device_ == nullptr) return;
    memory_ = device_->allocate(host_.byte_count());
    staging_ = device_->allocate_staging(host_.byte_count());
    std::memcpy(staging_.get(), host_.view().data, host_.byte_count());
    const auto queue = device_->make_queue();
    queue->copy_to_device(memory_.get(), staging_.get(), host_.byte_count());
    queue->wait();
}

TensorView DeviceTensor::view() const {
    TensorView view = host_.view();
    if (device_ == nullptr) return view;
    view.data = memory_.get();
    view.device = Device::cuda();
    return view;
}

Tensor DeviceTensor::read() const {
    Tensor tensor(host_.dtype(), host_.sizes());
    const void* source = host_.view().data;
    if (device_ != nullptr) {
        const auto queue = device_->make_queue();
        queue->copy_to_host(staging_.get(), memory_.get(), tensor.byte_count());
        queue->wait();
        source = staging_.get();
    }
    std::memcpy(tensor.view().data, source, tensor.byte_count());
    return tensor;
}

}  // namespace seq
