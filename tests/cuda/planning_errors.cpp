#include <doctest/doctest.h>

#include "engine/compiled_model.hpp"
#include "tests/cuda/emulated_cuda.hpp"
#include "tests/cuda/fault_of.hpp"
#include "tests/engine/support.hpp"

// What cuDNN answers while plans are made that is neither a plan nor a refusal.
namespace seq::tests {
namespace {

using namespace cuda;

constexpr const char* net = R"({"seq": 1, "inputs": {"x": [2, 8, 9, 8]}, "layers": [
    {"type": "Conv2d", "out_channels": 8, "kernel_size": 3, "name": "a"}, "ReLU",
    {"type": "Conv2d", "out_channels": 5, "kernel_size": 3, "name": "b"}]})";

std::shared_ptr<const seq::Plan> compiled(const EmulatedCuda& device) {
    const Graph graph = graph_of(net);
    return std::make_shared<CompiledModel>(graph, options_on_gpu(graph), device.backend())->plan({});
}

/// "code: message" of what compiling throws; empty where it throws nothing.
std::string compile_fault(const EmulatedCuda& device) {
    return fault_text_of([&] { compiled(device); });
}

void answer_finalising(EmulatedCuda& device, cudnnBackendDescriptorType_t type, cudnnStatus_t status) {
    device.fake.on_finalize = [=](const FakeDescriptor& descriptor) {
        return descriptor.type == type ? status : CUDNN_STATUS_SUCCESS;
    };
}

constexpr cudnnBackendDescriptorType_t planned[] = {
    CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR,
    CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR};

TEST_CASE("where cuDNN's environment is broken no network is compiled with slower kernels, and it is said what is") {
    struct Case {
        cudnnStatus_t status;
        const char* lack;
    };
    const Case cases[] = {
        {CUDNN_STATUS_NOT_INITIALIZED, "it does not start: a driver or a library that it needs is missing"},
        {CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH,
         "one of its sub-libraries (libcudnn_*.so.9) is of another version than libcudnn.so.9"},
        {CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED,
         "one of its sub-libraries (libcudnn_*.so.9) is missing or cannot be loaded"},
        {CUDNN_STATUS_DEPRECATED, "a library or a licence that it needs does not fit"},
    };
    for (const auto& [status, lack] : cases) {
        for (const auto type : planned) {
            EmulatedCuda device(true);
            answer_finalising(device, type, status);
            device.fake.error_text = "Error: CUDNN_STATUS_X; Reason: the cause";
            const std::string fault = compile_fault(device);
            CAPTURE(fault);
            CHECK(fault.starts_with(std::string("device/unavailable: cuDNN cannot plan on this machine: ") + lack));
            CHECK(fault.ends_with("(" + std::to_string(status) + "): CUDNN_STATUS_X; Reason: the cause"));
        }
    }
}

TEST_CASE("a misuse of cuDNN's is told of, not taken for a refusal") {
    for (const auto type : planned) {
        EmulatedCuda device(true);
        answer_finalising(device, type, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
        const std::string fault = compile_fault(device);
        CHECK(fault.starts_with("device/failed: cuDNN fails at planning: finalising a "));
        CHECK(fault.ends_with("(2008)"));
    }
}

TEST_CASE("what cuDNN refuses, and what it fails at by itself, other kernels do") {
    for (const auto status : {CUDNN_STATUS_NOT_SUPPORTED, CUDNN_STATUS_INTERNAL_ERROR}) {
        for (const auto type : planned) {
            EmulatedCuda device(true);
            answer_finalising(device, type, status);
            const auto plan = compiled(device);
            for (const Step& step : plan->steps) CHECK_FALSE(step.kernel_name.starts_with("cudnn"));
        }
    }
}

TEST_CASE(
    "what cuDNN compiles and the driver does not load other kernels do, and it is said; others' failures end all") {
    for (const bool compiles : {true, false}) {
        EmulatedCuda device(true);
        FakeEngine engine{.number = 7};
        if (compiles) engine.behavior_notes = {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION};
        device.fake.mode_a = device.fake.fallback = {engine};
        answer_finalising(device, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER);
        if (!compiles) {
            CHECK(compile_fault(device).starts_with("device/failed: cuDNN fails at planning: finalising a "));
            continue;
        }
        const auto plan = compiled(device);
        for (const Step& step : plan->steps) {
            if (step.nodes.empty()) continue;
            CHECK(step.kernel_name == "cuda.convolution");
            REQUIRE_FALSE(step.refusals.empty());
            CHECK(step.refusals.front().reason.find("(5001)") != std::string::npos);
        }
    }
}

TEST_CASE("a device that cuDNN does not describe, or has no handle for, refuses no single layer") {
    for (const auto status : {CUDNN_STATUS_NOT_SUPPORTED, CUDNN_STATUS_INTERNAL_ERROR}) {
        EmulatedCuda device(true);
        answer_finalising(device, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, status);
        CHECK(compile_fault(device).starts_with(
            "device/failed: cuDNN fails at planning: finalising a device's properties"));
    }
    EmulatedCuda device(true);
    device.fake.failing_call = device.fake.calls;
    device.fake.failure = CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED;
    CHECK(compile_fault(device).starts_with("device/unavailable: cuDNN cannot plan on this machine: one of its sub-"));
}

}  // namespace
}  // namespace seq::tests
