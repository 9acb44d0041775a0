#include "kernels/cuda/cudnn/descriptor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seq::cuda {
namespace {

std::string_view name_of(cudnnBackendDescriptorType_t type) {
    switch (type) {
        case CUDNN_BACKEND_POINTWISE_DESCRIPTOR: return "pointwise function";
        case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR: return "convolution window";
        case CUDNN_BACKEND_MATMUL_DESCRIPTOR: return "product's precision";
        case CUDNN_BACKEND_RESAMPLE_DESCRIPTOR: return "pool's window";
        case CUDNN_BACKEND_ENGINE_DESCRIPTOR: return "engine";
        case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR: return "engine configuration";
        case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR: return "heuristic";
        case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR: return "plan";
        case CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR: return "knob";
        case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR: return "convolution";
        case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR: return "transposed convolution";
        case CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR: return "matrix product";
        case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR: return "pool";
        case CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR: return "norm";
        case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR: return "pointwise operation";
        case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR: return "operation graph";
        case CUDNN_BACKEND_TENSOR_DESCRIPTOR: return "tensor";
        case CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR: return "device's properties";
        default: return "descriptor";
    }
}

}  // namespace

Descriptor::Descriptor(const Cudnn& cudnn, cudnnBackendDescriptorType_t type) : cudnn_(&cudnn), type_(type) {
    check(cudnn, cudnn.create_descriptor(type, &raw_), fmt::format("creating a {}", name_of(type)));
}

Descriptor::~Descriptor() {
    if (raw_ != nullptr) cudnn_->destroy_descriptor(raw_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept
    : cudnn_(other.cudnn_), type_(other.type_), raw_(std::exchange(other.raw_, nullptr)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(cudnn_, other.cudnn_);
    std::swap(type_, other.type_);
    std::swap(raw_, other.raw_);
    return *this;
}

void Descriptor::set(cudnnBackendAttributeName_t name, const Descriptor& value) {
    set_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.raw_);
}

void Descriptor::set_all(cudnnBackendAttributeName_t name, std::span<const Descriptor* const> values) {
    std::vector<cudnnBackendDescriptor_t> raw;
    for (const Descriptor* value : values) raw.push_back(value->raw_);
    set_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, raw.size(), raw.data());
}

void Descriptor::set_text(cudnnBackendAttributeName_t name, std::string_view text) {
    set(name, std::span<const char>(text.data(), text.size()));
}

void Descriptor::finalize() { check(*cudnn_, cudnn_->finalize(raw_), fmt::format("finalising a {}", name_of(type_))); }

std::string Descriptor::get_text(cudnnBackendAttributeName_t name) const {
    const std::vector<char> text = get_all<char>(name);
    return {text.begin(), std::find(text.begin(), text.end(), '\0')};
}

std::vector<Descriptor> Descriptor::get_descriptors(cudnnBackendAttributeName_t name,
                                                    cudnnBackendDescriptorType_t type) const {
    return get_descriptors(name, type, count(name, CUDNN_TYPE_BACKEND_DESCRIPTOR));
}

std::vector<Descriptor> Descriptor::get_descriptors(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
                                                    std::int64_t at_most) const {
    std::vector<Descriptor> descriptors;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (std::int64_t i = 0; i < at_most; ++i) raw.push_back(descriptors.emplace_back(*cudnn_, type).raw());
    if (raw.empty()) return descriptors;
    const std::int64_t got = get_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, at_most, raw.data());
    descriptors.erase(descriptors.begin() + std::clamp<std::int64_t>(got, 0, at_most), descriptors.end());
    return descriptors;
}

void Descriptor::set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::size_t count,
                         const void* values) {
    const auto status = cudnn_->set_attribute(raw_, name, type, static_cast<std::int64_t>(count), values);
    if (status == CUDNN_STATUS_SUCCESS) return;
    throw CudnnError(*cudnn_, status,
                     fmt::format("setting attribute {} of a {}", static_cast<int>(name), name_of(type_)));
}

std::int64_t Descriptor::get_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                 std::int64_t wanted, void* values) const {
    std::int64_t got = 0;
    const auto status = cudnn_->get_attribute(raw_, name, type, wanted, &got, values);
    if (status == CUDNN_STATUS_SUCCESS) return got;
    throw CudnnError(*cudnn_, status,
                     fmt::format("reading attribute {} of a {}", static_cast<int>(name), name_of(type_)));
}

std::int64_t Descriptor::count(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type) const {
    return get_raw(name, type, 0, nullptr);
}

}  // namespace seq::cuda
