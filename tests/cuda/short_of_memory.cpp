#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/compiled_model.hpp"
#include "engine/reference_run.hpp"
#include "tests/cuda/emulated_cuda.hpp"
#include "tests/cuda/fault_of.hpp"
#include "tests/cuda/layer_case.hpp"
#include "tests/engine/support.hpp"

// What follows where cuDNN finds no room on the GPU.
namespace seq::tests {
namespace {

using namespace cuda;

constexpr const char* net = R"({"seq": 1, "inputs": {"x": [2, 3, 9, 8]}, "layers": [
    {"type": "Conv2d", "out_channels": 8, "kernel_size": 3, "name": "a"}, "ReLU",
    {"type": "Conv2d", "out_channels": 5, "kernel_size": 3, "name": "b"}]})";

std::shared_ptr<CompiledModel> compiled(const EmulatedCuda& device, const std::string& timings = {}) {
    const Graph graph = graph_of(net);
    return std::make_shared<CompiledModel>(graph, options_on_gpu(graph, timings), device.backend());
}

cudnnStatus_t plans_without_room(const FakeDescriptor& descriptor) {
    const bool is_plan = descriptor.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR;
    return is_plan ? CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED : CUDNN_STATUS_SUCCESS;
}

TEST_CASE("which statuses say that memory is short, by themselves or by what cuDNN says of CUDA") {
    FakeCudnn fake;
    const auto is_short = [&](cudnnStatus_t status) {
        return CudnnError(fake.table, status, "trying").is_short_of_memory();
    };
    CHECK(is_short(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED));
    CHECK(is_short(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED));
    for (const auto status : {CUDNN_STATUS_INTERNAL_ERROR, CUDNN_STATUS_EXECUTION_FAILED_CUDART,
                              CUDNN_STATUS_NOT_SUPPORTED, CUDNN_STATUS_BAD_PARAM}) {
        fake.error_text.clear();
        CHECK_FALSE(is_short(status));
        fake.error_text = "Error: CUDNN_STATUS_X; Reason: cudaMalloc(&p, n) == cudaErrorMemoryAllocation";
        const bool may_be = status == CUDNN_STATUS_INTERNAL_ERROR || status == CUDNN_STATUS_EXECUTION_FAILED_CUDART;
        CHECK(is_short(status) == may_be);
    }
    CHECK_FALSE(CudnnError(fake.table, CUDNN_STATUS_INTERNAL_ERROR, "trying").is_refusal());
    fake.error_text.clear();
    CHECK(CudnnError(fake.table, CUDNN_STATUS_INTERNAL_ERROR, "trying").is_refusal());
}

TEST_CASE("it is said what is free where a layer has no room, and an error that CUDA keeps is forgotten") {
    FakeCudnn fake;
    FakeRuntime runtime;
    runtime.free_bytes = std::size_t{5} << 20;
    runtime.last_error = cudaErrorMemoryAllocation;
    const HostRuntime memory;
    const CudnnDevice device(fake.table, memory, runtime.table, 2);
    const auto text_of = [&](cudnnStatus_t status) {
        const Error error = device.error_of(CudnnError(fake.table, status, "running a plan"), "cuDNN engine 1");
        return error.code() + ": " + error.what();
    };
    CHECK(text_of(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED) ==
          "device/memory: the GPU has no room for what cuDNN engine 1 takes: 5.0 MiB of its 4.0 GiB are free: running "
          "a plan: CUDNN_STATUS_OTHER (4004)");
    CHECK(text_of(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED) ==
          "device/memory: the host has no room for what cuDNN engine 1 takes of cuDNN: running a plan: "
          "CUDNN_STATUS_OTHER (4003)");
    CHECK(text_of(CUDNN_STATUS_EXECUTION_FAILED) ==
          "device/failed: cuDNN fails at cuDNN engine 1: running a plan: CUDNN_STATUS_OTHER (5000)");
    CHECK(runtime.devices_used == std::set<int>{2});
    CHECK(runtime.device == 0);
    CHECK(runtime.last_error == cudaSuccess);
}

TEST_CASE("a run for which cuDNN has no room is refused, and the session goes on") {
    EmulatedCuda device;
    const Tensor x = filled({2, 3, 9, 8}, 0.3f);
    Tensor y(DType::f32, {2, 5, 5, 4}), expected(DType::f32, {2, 5, 5, 4});
    const auto model = compiled(device);
    Session(model).run({{"x", x}}, {{"b", expected}});
    const auto execute = device.fake.on_execute;
    for (const auto status :
         {CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, CUDNN_STATUS_EXECUTION_FAILED_CUDART}) {
        for (const int failing_run : {0, 1}) {  // the second is captured
            CAPTURE(failing_run);
            Session session(model);
            for (int run = 0; run < 4; ++run) {
                int plans = 0;
                device.fake.error_text = status == CUDNN_STATUS_EXECUTION_FAILED_CUDART ? "out of memory" : "";
                device.fake.on_execute = [&](const FakeRun& work) {
                    return run == failing_run && ++plans == 2 ? status : execute(work);
                };
                const int done = EmulatedCuda::graphs_computed;
                const auto fault = fault_of([&] { session.run({{"x", x}}, {{"b", y}}); });
                CHECK(fault.first == (run == failing_run ? "device/memory" : ""));
                // What was handed over before it is done with the memory that it was handed.
                if (run == failing_run && run == 0) CHECK(EmulatedCuda::graphs_computed == done + 1);
                if (run != failing_run) CHECK(relative_difference(y, expected) == 0);
            }
        }
    }
}

TEST_CASE("a model is not compiled with slower kernels since the GPU has no room for the better ones") {
    EmulatedCuda device;
    device.fake.on_finalize = plans_without_room;
    const auto fault = fault_of([&] { compiled(device); });
    CHECK(fault.first == "device/memory");
    CHECK(fault.second.starts_with("the GPU has no room for what planning takes: finalising a plan"));
    device.fake.on_finalize = nullptr;
    const auto model = compiled(device);
    for (const Step& step : model->plan({})->steps)
        if (!step.nodes.empty()) CHECK(step.kernel->description.starts_with("cuDNN engine 1"));
}

TEST_CASE("a GPU without room for a handle is short of memory when plans are made, too") {
    EmulatedCuda device(true);
    device.fake.failing_call = device.fake.calls;
    device.fake.failure = CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
    CHECK(fault_of([&] { compiled(device); }).first == "device/memory");
    CHECK(compiled(device)->plan({})->steps.size() >= 2);
}

TEST_CASE("of the plans that tuning would time those are taken for which there is room") {
    FakeCudnn fake;
    fake.mode_a = {{.number = 1}, {.number = 2}, {.number = 3}};
    int room = 2;
    fake.on_finalize = [&](const FakeDescriptor& descriptor) {
        const cudnnStatus_t status = plans_without_room(descriptor);
        return status != CUDNN_STATUS_SUCCESS && room-- > 0 ? CUDNN_STATUS_SUCCESS : status;
    };
    FusedLayer layer{.batch = 1, .in_channels = 8, .out_channels = 4, .spatial = {5, 6}, .bias = true};
    layer.windows.assign(2, {.kernel = 3});
    const auto properties = DeviceProperties::from_json(fake.table, "{}");
    const auto forms = legal_forms(fake.table, layer, {&properties, nullptr}, {});
    REQUIRE(forms.size() == 1);
    CHECK(forms[0].form->name == "convolution + bias");
    CHECK(forms[0].plans.size() == 2);
    room = 0;
    CHECK_THROWS_AS(legal_forms(fake.table, layer, {&properties, nullptr}, {}), CudnnError);
}

/// The number of layers that the timings on disk have cuDNN's convolutions of, and of their candidates that are one of
/// its engine 3.
std::pair<int, int> convolutions_kept(const std::string& timings) {
    std::ifstream file(timings);
    const auto json = nlohmann::json::parse(file, nullptr, false);
    int layers = 0, third = 0;
    if (json.is_discarded()) return {};
    for (const auto& machine : json.at("machines")) {
        for (const auto& layer : machine) {
            bool any = false;
            for (const auto& candidate : layer) {
                if (candidate.at("kernel") != "cudnn.convolution") continue;
                any = true;
                third += candidate.at("variant").get<std::string>().starts_with("engine 3: ") ? 1 : 0;
            }
            layers += any ? 1 : 0;
        }
    }
    return {layers, third};
}

TEST_CASE("what was measured while memory was short for some plans or trials is used, and not kept") {
    for (const bool plans : {true, false}) {
        CAPTURE(plans);
        const ScratchFile timings("cuda_timings_short.json");
        EmulatedCuda device;
        device.fake.mode_a = {{.number = 1}, {.number = 2}, {.number = 3}};
        bool has_room = false;
        device.fake.on_finalize = [&](const FakeDescriptor& descriptor) {
            const cudnnStatus_t status = plans_without_room(descriptor);
            if (!plans || has_room || status == CUDNN_STATUS_SUCCESS) return CUDNN_STATUS_SUCCESS;
            return engine_number_of_plan(descriptor) == 3 ? status : CUDNN_STATUS_SUCCESS;
        };
        int trials = 0;
        const auto execute = device.fake.on_execute;
        device.fake.on_execute = [&](const FakeRun& work) {
            const bool fails = !plans && !has_room && trials++ == 0;
            return fails ? CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED : execute(work);
        };
        int convolutions = 0;
        const auto plan = compiled(device, timings.path)->plan({});
        for (const Step& step : plan->steps) convolutions += step.nodes.empty() ? 0 : 1;
        CHECK(convolutions == 2);
        // Of the two layers the trials of the first alone had no room.
        CHECK(convolutions_kept(timings.path).first == (plans ? 0 : 1));
        has_room = true;
        compiled(device, timings.path)->plan({});
        const auto [layers, third] = convolutions_kept(timings.path);
        CHECK(layers == 2);
        CHECK(third > 0);
    }
}

}  // namespace
}  // namespace seq::tests
