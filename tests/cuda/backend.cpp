#include "kernels/cuda/backend.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "graph/diagnostic.hpp"
#include "kernels/cuda/probe.hpp"
#include "tests/cuda/fake_runtime.hpp"

namespace seq::tests {
namespace {

/// Two GPUs, the second one of an older make.
cuda::DeviceQueries two_gpus() {
    cuda::DeviceQueries queries;
    queries.driver_version = [](int* version) {
        *version = 13010;
        return cudaSuccess;
    };
    queries.device_count = [](int* count) {
        *count = 2;
        return cudaSuccess;
    };
    queries.device_properties = [](cudaDeviceProp* properties, int device) {
        std::strcpy(properties->name, device == 0 ? "New GPU" : "Old GPU");
        properties->major = device == 0 ? 9 : 7;
        properties->minor = device == 0 ? 0 : 5;
        properties->multiProcessorCount = 132;
        return cudaSuccess;
    };
    queries.error_string = [](cudaError_t) { return "an error"; };
    return queries;
}

const cuda::Cudnn& some_cudnn() {
    static const cuda::Cudnn cudnn = [] {
        cuda::Cudnn functions;
        functions.version = [] { return std::size_t{91900}; };
        functions.cudart_version = [] { return std::size_t{CUDART_VERSION}; };
        return functions;
    }();
    return cudnn;
}

std::string missing_of(const cuda::DeviceQueries& queries, const cuda::Cudnn& cudnn, int device) {
    FakeRuntime fake;
    try {
        cuda::make_backend(queries, fake.table, cudnn, device);
    } catch (const Error& error) {
        CHECK(error.code() == "device/unavailable");
        return error.what();
    }
    return {};
}

TEST_CASE("a GPU's backend says what times hold for, and in what it computes") {
    FakeRuntime fake;
    const auto made = cuda::make_backend(two_gpus(), fake.table, some_cudnn(), 0);
    const auto older = cuda::make_backend(two_gpus(), fake.table, some_cudnn(), 1);
    const Backend& backend = made->backend();
    CHECK(backend.name == "cuda");
    CHECK(backend.identity() == "New GPU, compute capability 9.0, 132 multiprocessors, driver for CUDA 13.1, CUDA " +
                                    cuda::cuda_version(CUDART_VERSION) + ", cuDNN 9.19.0");
    CHECK(older->backend().identity() != backend.identity());
    for (const MathMode mode : all_math_modes) CHECK(backend.lacks(mode).empty());
    CHECK(older->backend().lacks(MathMode::f32).empty());
    CHECK(older->backend().lacks(MathMode::f16).empty());
    CHECK(older->backend().lacks(MathMode::bf16) == "bf16 takes a GPU of compute capability 8.0; Old GPU has 7.5");
    CHECK(older->backend().lacks(MathMode::tf32).find("tf32 takes a GPU") == 0);
    CHECK(fake.calls == 0);
}

TEST_CASE("memory of a GPU's backend is that GPU's") {
    FakeRuntime fake;
    const auto made = cuda::make_backend(two_gpus(), fake.table, some_cudnn(), 1);
    fake.free_bytes = 0;
    try {
        made->backend().device->allocate(1);
        CHECK(false);
    } catch (const Error& error) {
        CHECK(std::string(error.what()).find("GPU 1 has no room") == 0);
    }
}

TEST_CASE("a GPU that is not there or does not serve is refused with the reason") {
    CHECK(missing_of(two_gpus(), some_cudnn(), 0).empty());
    CHECK(missing_of(two_gpus(), some_cudnn(), 2) == "there is no GPU 2: there are 2 on this machine, counted from 0");
    CHECK(missing_of(two_gpus(), some_cudnn(), -1).find("there is no GPU -1") == 0);
    cuda::DeviceQueries without_driver = two_gpus();
    without_driver.driver_version = [](int* version) {
        *version = 0;
        return cudaSuccess;
    };
    CHECK(missing_of(without_driver, some_cudnn(), 0) == "there is no NVIDIA driver (libcuda.so.1) on this machine");
    cuda::DeviceQueries too_old = two_gpus();
    too_old.device_properties = [](cudaDeviceProp* properties, int device) {
        std::strcpy(properties->name, "Ancient GPU");
        properties->major = device == 0 ? 6 : 9;
        return cudaSuccess;
    };
    CHECK(missing_of(too_old, some_cudnn(), 0).find("Ancient GPU") != std::string::npos);
    CHECK(missing_of(too_old, some_cudnn(), 1).empty());
    cuda::Cudnn none;
    none.missing = "cuDNN 9 is not found";
    CHECK(missing_of(two_gpus(), none, 0) == none.missing);
}

}  // namespace
}  // namespace seq::tests
