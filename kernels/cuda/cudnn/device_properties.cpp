#include "kernels/cuda/cudnn/device_properties.hpp"

namespace seq::cuda {

DeviceProperties DeviceProperties::from_json(const Cudnn& cudnn, std::string json) {
    Descriptor descriptor(cudnn, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    descriptor.set_text(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, json);
    descriptor.finalize();
    return {std::move(descriptor), std::move(json)};
}

DeviceProperties DeviceProperties::of_device(const Cudnn& cudnn, int device) {
    Descriptor descriptor(cudnn, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    descriptor.set(CUDNN_ATTR_DEVICEPROP_DEVICE_ID, std::int32_t{device});
    descriptor.finalize();
    std::string json = descriptor.get_text(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION);
    return {std::move(descriptor), std::move(json)};
}

std::string DeviceProperties::name() const {
    constexpr std::string_view key = "\"deviceName\"";
    const std::size_t found = json_.find(key);
    if (found == std::string::npos) return {};
    const std::size_t open = json_.find('"', found + key.size());
    if (open == std::string::npos) return {};
    const std::size_t close = json_.find('"', open + 1);
    return close == std::string::npos ? std::string() : json_.substr(open + 1, close - open - 1);
}

}  // namespace seq::cuda
