#pragma once

#include "kernels/cuda/cudnn/descriptor.hpp"

namespace seq::cuda {

/// What cuDNN plans for: a GPU of this machine, or one that only its properties tell of, so that plans are made where
/// there is none.
class DeviceProperties {
   public:
    /// What cuDNN wrote of a device. Throws CudnnError where it does not take it.
    static DeviceProperties from_json(const Cudnn& cudnn, std::string json);
    /// `device`: CUDA's number of it.
    static DeviceProperties of_device(const Cudnn& cudnn, int device);

    const Descriptor& descriptor() const { return descriptor_; }
    const std::string& json() const { return json_; }
    /// As CUDA calls it; empty where the properties do not say.
    std::string name() const;

   private:
    DeviceProperties(Descriptor descriptor, std::string json)
        : descriptor_(std::move(descriptor)), json_(std::move(json)) {}

    Descriptor descriptor_;
    std::string json_;
};

}  // namespace seq::cuda
