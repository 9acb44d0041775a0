#pragma once

#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace seq::cuda {

/// The functions of CUDA's runtime that find out what there is, so that tests can answer in their place.
struct DeviceQueries {
    cudaError_t (*driver_version)(int* version) = nullptr;
    cudaError_t (*device_count)(int* count) = nullptr;
    cudaError_t (*device_properties)(cudaDeviceProp* properties, int device) = nullptr;
    const char* (*error_string)(cudaError_t error) = nullptr;
    /// What the build's kernels are compiled for, as Architectures reads it.
    std::string_view architectures = "75-virtual";
};

DeviceQueries runtime_queries();

/// cuDNN's functions, from the library that was found, or why none was.
struct Cudnn {
    std::size_t (*version)() = nullptr;
    std::size_t (*cudart_version)() = nullptr;
    cudnnStatus_t (*create)(cudnnHandle_t* handle) = nullptr;
    cudnnStatus_t (*destroy)(cudnnHandle_t handle) = nullptr;
    cudnnStatus_t (*set_stream)(cudnnHandle_t handle, cudaStream_t stream) = nullptr;
    const char* (*error_string)(cudnnStatus_t status) = nullptr;
    void (*last_error)(char* message, std::size_t size) = nullptr;
    cudnnStatus_t (*create_descriptor)(cudnnBackendDescriptorType_t type,
                                       cudnnBackendDescriptor_t* descriptor) = nullptr;
    cudnnStatus_t (*destroy_descriptor)(cudnnBackendDescriptor_t descriptor) = nullptr;
    cudnnStatus_t (*finalize)(cudnnBackendDescriptor_t descriptor) = nullptr;
    cudnnStatus_t (*set_attribute)(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                   cudnnBackendAttributeType_t type, std::int64_t count,
                                   const void* elements) = nullptr;
    cudnnStatus_t (*get_attribute)(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                   cudnnBackendAttributeType_t type, std::int64_t wanted, std::int64_t* count,
                                   void* elements) = nullptr;
    cudnnStatus_t (*execute)(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                             cudnnBackendDescriptor_t pack) = nullptr;

    std::string file;     ///< that it was found in
    std::string missing;  ///< why there is none; empty where there is

    explicit operator bool() const { return missing.empty(); }
};

/// Opened once: the file that SEQ_CUDNN names where that is set, or else libcudnn.so.9 where the loader looks and where
/// it was when this was built. It is not linked, so that a machine without it still says what else it has.
const Cudnn& cudnn();

/// For tests: as `cudnn` does, from this file alone.
Cudnn open_cudnn(const std::string& file);

}  // namespace seq::cuda
