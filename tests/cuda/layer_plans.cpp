#include <doctest/doctest.h>

#include "graph/ops/activation.hpp"
#include "graph/ops/convolution.hpp"
#include "tests/cuda/fake_runtime.hpp"
#include "tests/cuda/layer_case.hpp"

namespace seq::tests {
namespace {

ops::Conv2d five_of_eight_channels() {
    ops::Conv2d conv;
    conv.in_channels = 8;
    conv.out_channels = 5;
    conv.kernel_size = 1;
    return conv;
}

TEST_CASE("who measures gets every plan of every form") {
    LayerCase layer(five_of_eight_channels(), {{2, 8, 6, 7}}, {{ops::ReLU{}}});
    layer.fake.mode_a = {{.number = 1}, {.number = 2, .workspace = std::int64_t{1} << 40}, {.number = 3}};
    layer.fake.fallback = {{.number = 1}, {.number = 4}};
    const std::vector<std::string> names = layer.variants();
    CHECK(names == std::vector<std::string>{"engine 1: convolution + bias + relu",
                                            "engine 3: convolution + bias + relu",
                                            "engine 4: convolution + bias + relu", "engine 1: convolution + bias",
                                            "engine 3: convolution + bias", "engine 4: convolution + bias",
                                            "engine 1: convolution", "engine 3: convolution", "engine 4: convolution"});
    for (const std::string& name : names) {
        layer.variant = name;
        const auto kernel = layer.prepare();
        REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
        CHECK(kernel->description == "cuDNN " + name);
        layer.check(*kernel);
    }
    for (const char* const name :
         {"engine 2: convolution + bias + relu", "engine 1: convolution + relu", "engine 1", "engine 5: convolution",
          "engine -1: convolution", "engine 99999999999999999999: convolution", "engine: convolution",
          "engine 1, knobs 2=1: convolution", "engine 1, knobs: convolution", "engine 1, knobs 2=: convolution",
          "engine 1, knobs -2=1: convolution", "engine 1, knobs 2=1 : convolution", ": convolution"}) {
        layer.variant = name;
        CHECK(layer.prepare() == nullptr);
        CHECK(layer.refusal.starts_with(std::string("cudnn.convolution: ") + name + ": cuDNN has no such plan"));
    }
}

TEST_CASE("a plan is found by its name where nothing was measured") {
    LayerCase other(five_of_eight_channels(), {{2, 8, 6, 7}}, {{ops::ReLU{}}});
    other.fake.mode_a = {{.number = 1}, {.number = 3}};
    other.variant = "engine 3: convolution + bias";
    other.fake.on_finalize = [](const FakeDescriptor& descriptor) {
        CHECK(descriptor.type != CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);  // they look at every engine
        return CUDNN_STATUS_SUCCESS;
    };
    const auto kernel = other.prepare();
    REQUIRE_MESSAGE(kernel != nullptr, other.refusal);
    CHECK(kernel->description == "cuDNN engine 3: convolution + bias");
    other.check(*kernel);
}

TEST_CASE("a plan that tuning would time is left out where cuDNN refuses it, and for no other reason") {
    LayerCase layer(five_of_eight_channels(), {{2, 8, 6, 7}});
    layer.fake.mode_a = {{.number = 1}, {.number = 2}};
    const auto answers = [&](cudnnStatus_t status) {
        layer.fake.on_finalize = [status](const FakeDescriptor& descriptor) {
            const bool second =
                descriptor.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR && engine_number_of_plan(descriptor) == 2;
            return second ? status : CUDNN_STATUS_SUCCESS;
        };
    };
    for (const auto status : {CUDNN_STATUS_BAD_PARAM, CUDNN_STATUS_NOT_INITIALIZED, CUDNN_STATUS_EXECUTION_FAILED}) {
        answers(status);
        CHECK_THROWS_AS(layer.variants(), Error);
    }
    answers(CUDNN_STATUS_NOT_SUPPORTED);
    CHECK(layer.variants().size() == 2);
    const auto kernel = layer.prepare();
    REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
    CHECK(kernel->description == "cuDNN engine 1: convolution + bias");
}

TEST_CASE("the plan that cuDNN likes best is one of the variants as it is, unless somebody runs it") {
    FakeCudnn fake;
    FakeRuntime runtime;
    fake.mode_a = {{.number = 4, .behavior_notes = {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}}, {.number = 1}};
    const HostRuntime memory;
    for (const bool runs : {false, true}) {
        const cuda::CudnnDevice device(fake.table, memory, runtime.table, 0);
        cuda::FusedLayer layer{.batch = 1, .in_channels = 8, .out_channels = 4, .spatial = {5, 6}, .bias = true};
        layer.windows.assign(2, {.kernel = 3});
        fake.compiled = 0;
        auto legal = device.legalise(layer);
        const cuda::Plan* const favourite = &legal->plans.front();
        if (!runs) legal.reset();
        // Both forms have it.
        const Variants variants = device.variants(layer);
        CHECK(variants.names.size() == 4);
        CHECK_FALSE(variants.short_of_memory);
        CHECK(fake.compiled == (runs ? 3 : 2));
        CHECK(fake.plans() == (runs ? 5 : 4));
        if (runs) CHECK(&legal->plans.front() == favourite);
        CHECK(device.legalise(layer)->plans.front().engine() == "engine 4");
        CHECK(device.legalise(layer, "engine 4: convolution + bias") == device.legalise(layer));
        CHECK(fake.compiled == (runs ? 3 : 2));
    }
}

TEST_CASE("plans of a GPU are made by one handle, with the GPU as the calling thread's") {
    FakeCudnn fake;
    FakeRuntime runtime;
    const HostRuntime memory;
    std::vector<int> devices;
    fake.on_finalize = [&](const FakeDescriptor& descriptor) {
        if (descriptor.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
            CHECK(descriptor.has(CUDNN_ATTR_EXECUTION_PLAN_HANDLE));
            devices.push_back(runtime.device);
        }
        return CUDNN_STATUS_SUCCESS;
    };
    {
        const cuda::CudnnDevice device(fake.table, memory, runtime.table, 2);
        CHECK(fake.handles == 0);
        cuda::FusedLayer layer{.batch = 1, .in_channels = 8, .out_channels = 4, .spatial = {5, 6}};
        layer.windows.assign(2, {.kernel = 3});
        const auto legal = device.legalise(layer);
        CHECK(legal->plans.size() == 1);
        CHECK(device.legalise(layer) == legal);
        layer.bias = true;
        CHECK(device.variants(layer).names.size() == 2);
        CHECK(fake.handles == 1);
        CHECK(devices == std::vector<int>{2, 2, 2});
        CHECK(runtime.device == 0);
        fake.on_execute = [&](const FakeRun&) {
            devices.push_back(runtime.device);
            return CUDNN_STATUS_EXECUTION_FAILED;
        };
        cuda::Descriptor pack(fake.table, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
        pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, std::vector<std::int64_t>{});
        pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, std::vector<void*>{});
        pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, static_cast<void*>(nullptr));
        pack.finalize();
        CHECK_THROWS_AS(device.execute(nullptr, legal->plans.front(), pack), cuda::CudnnError);
        CHECK(devices.back() == 2);
        CHECK(devices.size() == 4);
        CHECK(runtime.device == 0);
        device.release_unused();
        CHECK(runtime.device == 0);
    }
    CHECK(fake.handles == 0);
    CHECK(fake.alive.empty());
}
}  // namespace
}  // namespace seq::tests
