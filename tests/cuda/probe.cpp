#include "kernels/cuda/probe.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "kernels/cuda/architectures.hpp"

namespace seq::tests {
namespace {

using cuda::Cudnn;

/// A machine as the fakes below tell of it.
struct Machine {
    int driver = 13000;
    cudaError_t count_error = cudaSuccess;
    int gpus = 1;
    int major = 9, minor = 0;
};
Machine machine;

cudaError_t driver_version(int* version) {
    *version = machine.driver;
    return cudaSuccess;
}
cudaError_t device_count(int* count) {
    *count = machine.count_error == cudaSuccess ? machine.gpus : 0;
    return machine.count_error;
}
cudaError_t device_properties(cudaDeviceProp* properties, int device) {
    std::strcpy(properties->name, device == 0 ? "First GPU" : "Second GPU");
    properties->totalGlobalMem = std::size_t{80} << 30;
    properties->major = device == 0 ? machine.major : 9;
    properties->minor = device == 0 ? machine.minor : 0;
    properties->multiProcessorCount = 132;
    return cudaSuccess;
}
const char* error_string(cudaError_t) { return "the text of the error"; }

Cudnn some_cudnn() {
    Cudnn cudnn;
    cudnn.version = [] { return std::size_t{91900}; };
    cudnn.cudart_version = [] { return std::size_t{CUDART_VERSION}; };
    cudnn.file = "/lib/libcudnn.so.9";
    return cudnn;
}

DeviceReport probe_of(const Machine& told, const Cudnn& cudnn = some_cudnn()) {
    machine = told;
    return cuda::probe({driver_version, device_count, device_properties, error_string}, cudnn);
}

using Facts = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("a GPU with a driver and cuDNN is available, and is described") {
    const DeviceReport report = probe_of({});
    CHECK(report.available);
    CHECK(report.reason.empty());
    CHECK(report.name == "cuda");
    const Facts facts(report.facts.begin() + 1, report.facts.end());
    CHECK(facts == Facts{{"driver_cuda", "13.0"},
                         {"gpu_0", "First GPU, 80 GiB, compute capability 9.0, 132 multiprocessors"},
                         {"gpu_0_dtypes", "f32, tf32, f16, bf16"},
                         {"cudnn", "9.19.0"}});
}

TEST_CASE("the first thing that a machine lacks is the reason") {
    Cudnn none;
    none.missing = "cuDNN 9 is not found";
    struct Case {
        Machine machine;
        Cudnn cudnn;
        const char* reason;
    };
    const Case cases[] = {
        {{.driver = 0}, some_cudnn(), "there is no NVIDIA driver (libcuda.so.1) on this machine"},
        {{.driver = 12080, .count_error = cudaErrorInsufficientDriver},
         some_cudnn(),
         "the NVIDIA driver is too old: it serves CUDA 12.8, and this build of seq needs 13.0"},
        {{.count_error = cudaErrorNoDevice}, some_cudnn(), "shows no GPU (CUDA_VISIBLE_DEVICES may hide it)"},
        {{.gpus = 0}, some_cudnn(), "shows no GPU"},
        {{.count_error = cudaErrorUnknown}, some_cudnn(), "CUDA does not start: the text of the error (999)"},
        {{.major = 7, .minor = 0},
         some_cudnn(),
         "GPU 0 (First GPU) has compute capability 7.0, and CUDA 13 makes code from 7.5 on"},
        {{}, none, "cuDNN 9 is not found"},
    };
    for (const Case& lacking : cases) {
        const DeviceReport report = probe_of(lacking.machine, lacking.cudnn);
        CAPTURE(report.reason);
        CHECK_FALSE(report.available);
        CHECK(report.reason.find(lacking.reason) != std::string::npos);
    }
}

TEST_CASE("each GPU says in which dtypes it computes, and none that the build has no code for serves") {
    const DeviceReport report = probe_of({.gpus = 2, .major = 7, .minor = 5});
    const auto fact = [&](const char* key) {
        for (const auto& [name, value] : report.facts) {
            if (name == key) return value;
        }
        return std::string();
    };
    CHECK(fact("gpu_0_dtypes") == "f32, f16");
    CHECK(fact("gpu_1_dtypes") == "f32, tf32, f16, bf16");
}

TEST_CASE("a GPU that the build has no code for is not available, and it is said which it has and how to have it") {
    const auto report_of = [](int major, int minor, std::string_view architectures, int gpus = 1) {
        machine = {.gpus = gpus, .major = major, .minor = minor};
        return cuda::probe({driver_version, device_count, device_properties, error_string, architectures},
                           some_cudnn());
    };
    const DeviceReport newer = report_of(9, 0, "80-real");
    CHECK_FALSE(newer.available);
    CHECK(newer.reason ==
          "GPU 0 (First GPU) has compute capability 9.0, and this build of seq has no code for it: it was built for "
          "sm_80; -DCMAKE_CUDA_ARCHITECTURES=90-real builds it for this one");
    CHECK(cuda::lack_of_device({driver_version, device_count, device_properties, error_string, "80-real"}, some_cudnn(),
                               0) == newer.reason);
    CHECK(report_of(10, 0, "80-real,90-real").reason.find("built for sm_80, sm_90; -D") != std::string::npos);
    CHECK(report_of(7, 5, "80-real,90").reason.find("built for sm_80, sm_90, compute_90; -D") != std::string::npos);
    CHECK(report_of(8, 9, "80-real").available);
    CHECK(report_of(12, 1, "80-real,90-virtual").available);
    // The second has 9.0.
    CHECK(report_of(10, 0, "90-real", 2).available);
    CHECK(report_of(10, 0, "80-real", 2).reason.find("GPU 0 (First GPU) has compute capability 10.0") == 0);
}

TEST_CASE("code serves the GPUs that CUDA lets it") {
    struct Case {
        const char* list;
        std::vector<int> served, others;
    };
    const Case cases[] = {
        {"80-real", {80, 86, 89}, {75, 90, 100}},
        {"86-real", {86, 89}, {80, 90}},
        {"80-virtual", {80, 86, 90, 121}, {75}},
        {"90", {90, 100, 120}, {80, 89}},
        {"90a-real", {90}, {80, 100}},
        {"90a-virtual", {90}, {100}},
        {"100f-real", {100, 103}, {90, 110, 120}},
        {"100f", {100, 103}, {90, 110, 120}},
        {"80-real,90-real,90-virtual", {80, 86, 90, 100}, {75}},
        {"", {75, 90}, {}},
        {"native", {75, 90}, {}},
    };
    for (const Case& code : cases) {
        const cuda::Architectures architectures(code.list);
        CAPTURE(code.list);
        for (const int capability : code.served) CHECK_MESSAGE(architectures.serve(capability), capability);
        for (const int capability : code.others) CHECK_MESSAGE(!architectures.serve(capability), capability);
    }
    CHECK(cuda::Architectures("80-real,90a-real,100f").text() == "sm_80, sm_90a, sm_100f, compute_100f");
}

TEST_CASE("the build knows what its kernels are compiled for") {
    const cuda::Architectures architectures(cuda::runtime_queries().architectures);
    CHECK_FALSE(architectures.text().empty());
    CHECK_FALSE(architectures.serve(70));
}

TEST_CASE("a cuDNN that is too old, or made for another CUDA, does not serve") {
    const auto check = [](const Cudnn& cudnn, const std::string& reason) {
        const DeviceReport report = probe_of({}, cudnn);
        CHECK(report.reason == reason);
        CHECK(report.available == reason.empty());
        CHECK(report.facts.back().first == "cudnn");
        CHECK(cuda::lack_of_device({driver_version, device_count, device_properties, error_string}, cudnn, 0) ==
              reason);
    };
    Cudnn cudnn = some_cudnn();
    cudnn.version = [] { return std::size_t{91002}; };
    check(cudnn, "cuDNN 9.10.2 is too old: 9.11 or later is needed, found in /lib/libcudnn.so.9");
    cudnn.version = [] { return std::size_t{91100}; };
    check(cudnn, "");
    cudnn.cudart_version = [] { return std::size_t{13020}; };
    check(cudnn, "");
    cudnn.cudart_version = [] { return std::size_t{12090}; };
    check(cudnn, "cuDNN 9.11.0 is made for CUDA 12.9, and this build of seq for CUDA " +
                     cuda::cuda_version(CUDART_VERSION) + ", found in /lib/libcudnn.so.9");
}

TEST_CASE("an old GPU beside one that serves is no hindrance") {
    const DeviceReport report = probe_of({.gpus = 2, .major = 6, .minor = 1});
    CHECK(report.available);
    CHECK(
        std::any_of(report.facts.begin(), report.facts.end(), [](const auto& fact) { return fact.first == "gpu_1"; }));
}

TEST_CASE("a file that is no cuDNN is said to be none") {
    const Cudnn absent = cuda::open_cudnn("/nowhere/libcudnn.so.9");
    CHECK_FALSE(absent);
    CHECK(absent.missing.find("cuDNN 9 is not found: /nowhere/libcudnn.so.9") != std::string::npos);
    const Cudnn other = cuda::open_cudnn("libm.so.6");
    CHECK_FALSE(other);
    CHECK(other.missing == "libm.so.6 is no cuDNN 9: it has no cudnnGetVersion");
}

}  // namespace
}  // namespace seq::tests
