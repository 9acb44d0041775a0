#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstring>

#include "engine/devices.hpp"
#include "kernels/cuda/cudnn/device_properties.hpp"
#include "kernels/cuda/libraries.hpp"

namespace {

/// As ctest and tools/gpu_check know it.
constexpr int no_gpu = 77;

}  // namespace

// --properties prints the GPU's in cuDNN's form, and runs nothing.
int main(int argc, char** argv) {
    const bool lists = argc > 1 && std::strstr(argv[1], "list-test-cases") != nullptr;
    const seq::DeviceReport report = seq::describe_cuda_device();
    if (!report.available && !lists) {
        fmt::print("tests_gpu: there is no GPU to test on: {}\n", report.reason);
        return no_gpu;
    }
    try {
        if (argc > 1 && std::strcmp(argv[1], "--properties") == 0) {
            fmt::print("{}\n", seq::cuda::DeviceProperties::of_device(seq::cuda::cudnn(), 0).json());
            return 0;
        }
    } catch (const std::exception& error) {
        fmt::print(stderr, "tests_gpu: {}\n", error.what());
        return 1;
    }
    return doctest::Context(argc, argv).run();
}
