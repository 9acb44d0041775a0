#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/compiled_model.hpp"
#include "engine/reference_run.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "tests/cuda/emulated_cuda.hpp"
#include "tests/engine/plan_file_bytes.hpp"
#include "tests/engine/support.hpp"

// Networks of what cuDNN compiles, on a GPU that is emulated: by it, by our own kernels where it refuses, and timed.
namespace seq::tests {
namespace {

constexpr const char* pools = R"({"seq": 1, "inputs": {"x": [2, 3, 17, 19]}, "layers": [
    {"type": "Conv2d", "out_channels": 6, "kernel_size": 3, "padding": 1}, "ReLU",
    {"type": "MaxPool2d", "kernel_size": 3, "stride": 2, "padding": 1}, "SiLU",
    {"type": "Conv2d", "out_channels": 5, "kernel_size": 1},
    {"type": "AvgPool2d", "kernel_size": 3, "stride": 2, "padding": 1},
    {"type": "MaxPool2d", "kernel_size": 2, "stride": 1, "dilation": 2},
    {"type": "AdaptiveAvgPool2d", "output_size": 1}, "Flatten",
    {"type": "Linear", "out_features": 4, "name": "fc"}]})";

constexpr const char* norms = R"({"seq": 1, "inputs": {"x": [2, 3, 17, 19]}, "layers": [
    {"type": "Conv2d", "out_channels": 6, "kernel_size": 3, "stride": 4},
    {"type": "InstanceNorm2d", "affine": true}, "ReLU",
    {"type": "Conv2d", "out_channels": 4, "kernel_size": 1},
    {"type": "GroupNorm", "num_groups": 2, "num_channels": 4}, "Flatten",
    {"type": "LayerNorm", "normalized_shape": 80}, "GELU",
    {"type": "Linear", "out_features": 9},
    {"type": "RMSNorm", "normalized_shape": 9},
    {"type": "Linear", "out_features": 4, "name": "fc"}]})";

/// Around 0, so that norms do not bring rounding to light.
Tensor picture() {
    Tensor x = filled({2, 3, 17, 19}, 0.3f);
    for (float& value : x.data<float>()) value = 2 * value - 1.62f;
    return x;
}

struct Outcome {
    Tensor y = Tensor(DType::f32, {2, 4});
    /// By kernel name, in the order of the steps.
    std::vector<std::string> kernels, descriptions;
    std::vector<Refusal> refusals;
    bool was_timed = false;

    int steps_of(std::string_view kernel) const {
        return static_cast<int>(std::count(kernels.begin(), kernels.end(), kernel));
    }
    int steps_as(std::string_view description) const {
        return static_cast<int>(std::count(descriptions.begin(), descriptions.end(), description));
    }
    bool says(std::string_view kernel, std::string_view reason) const {
        return std::any_of(refusals.begin(), refusals.end(), [&](const Refusal& refusal) {
            return refusal.kernel == kernel && refusal.reason.find(reason) != std::string::npos;
        });
    }
};

Outcome run(const char* net, const EmulatedCuda& device, const CompileOptions& options) {
    const Graph graph = graph_of(net);
    const auto model = std::make_shared<CompiledModel>(graph, options, device.backend());
    Outcome outcome;
    outcome.was_timed = device.counts().kernels > 0;
    Session session(model);
    const Tensor x = picture();
    for (int i = 0; i < 3; ++i) session.run({{"x", x.view()}}, {{"fc", outcome.y.view()}});
    for (const Step& step : session.plan()->steps) {
        if (step.nodes.empty()) continue;
        outcome.kernels.push_back(step.kernel_name);
        outcome.descriptions.push_back(step.kernel->description);
        outcome.refusals.insert(outcome.refusals.end(), step.refusals.begin(), step.refusals.end());
    }
    return outcome;
}

CompileOptions options_in(const char* net, MathMode math, const std::string& timings = {}) {
    CompileOptions options = options_on_gpu(graph_of(net), timings);
    options.dtype = math;
    return options;
}

Tensor expected_answer(const char* net) {
    const Graph graph = graph_of(net);
    const Tensor x = picture();
    return std::move(run_reference(graph, random_weights(needed_parameters(graph), 5), {{"x", x.view()}}).at("fc"));
}

double allowed(MathMode math) { return math == MathMode::bf16 ? 2e-2 : math == MathMode::f16 ? 2e-3 : 1e-5; }

/// Refuses graphs that begin with this operation.
void refuse(FakeCudnn& fake, const std::string& operation) {
    fake.error_text = "none here";
    fake.on_finalize = [operation](const FakeDescriptor& descriptor) {
        const bool refused = descriptor.type == CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR &&
                             operations_of(descriptor).starts_with(operation);
        return refused ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_SUCCESS;
    };
}

TEST_CASE("pools of a network are cuDNN's first, and our own where it refuses") {
    const Tensor expected = expected_answer(pools);
    for (const MathMode math : all_math_modes) {
        CAPTURE(name_of(math));
        const Outcome by_cudnn = run(pools, EmulatedCuda(), options_in(pools, math));
        CHECK(by_cudnn.steps_of("cudnn.pool") == 3);
        CHECK(by_cudnn.steps_of("cuda.pool") == 1);
        CHECK(by_cudnn.says("cudnn.pool", "has no windows with a dilation"));
        CHECK(by_cudnn.steps_as("cuDNN engine 1: max pool + swish(1)") == 1);
        CHECK(relative_difference(by_cudnn.y, expected) <= allowed(math));

        EmulatedCuda refusing;
        refuse(refusing.fake, "pool");
        const Outcome by_own = run(pools, refusing, options_in(pools, math));
        CHECK(by_own.steps_of("cudnn.convolution") == 2);
        CHECK(by_own.steps_of("cudnn.pool") == 0);
        CHECK(by_own.steps_of("cuda.pool") == 4);
        CHECK(by_own.says("cudnn.pool", "average pool with padding: finalising a operation graph: "));
        CHECK(by_own.says("cudnn.pool", "none here"));
        CHECK(relative_difference(by_own.y, expected) <= allowed(math));
    }
}

TEST_CASE("norms of a network are cuDNN's first, and our own where it refuses") {
    const Tensor expected = expected_answer(norms);
    for (const MathMode math : all_math_modes) {
        CAPTURE(name_of(math));
        const Outcome by_cudnn = run(norms, EmulatedCuda(), options_in(norms, math));
        CHECK(by_cudnn.steps_of("cudnn.norm") == 3);
        CHECK(by_cudnn.steps_of("cuda.norm") == 1);
        CHECK(by_cudnn.says("cudnn.norm", "its group norm is told no number of groups"));
        CHECK(by_cudnn.steps_as("cuDNN engine 1: instance norm + relu") == 1);
        CHECK(by_cudnn.steps_as("cuDNN engine 1: layer norm + gelu") == 1);
        CHECK(by_cudnn.steps_as("cuDNN engine 1: RMS norm") == 1);
        CHECK(relative_difference(by_cudnn.y, expected) <= allowed(math));

        EmulatedCuda refusing;
        refuse(refusing.fake, "norm");
        const Outcome by_own = run(norms, refusing, options_in(norms, math));
        CHECK(by_own.steps_of("cudnn.norm") == 0);
        CHECK(by_own.steps_of("cuda.norm") == 4);
        CHECK(by_own.says("cudnn.norm", "RMS norm: finalising a operation graph: "));
        CHECK(relative_difference(by_own.y, expected) <= allowed(math));
    }
}

TEST_CASE("tuning times cuDNN's plans for pools and norms beside our own kernels, and finds its choice again") {
    const auto check = [](const char* net, std::initializer_list<const char*> timed) {
        const ScratchFile cache("cuda_compiled_timings.json");
        std::vector<std::string> first;
        for (const bool again : {false, true}) {
            EmulatedCuda device;
            device.fake.mode_a = {{.number = 1}, {.number = 2}};
            const Outcome outcome = run(net, device, options_in(net, MathMode::f32, cache.path));
            CHECK(outcome.was_timed != again);
            if (again) CHECK(outcome.descriptions == first);
            first = outcome.descriptions;
            CHECK(relative_difference(outcome.y, expected_answer(net)) <= 1e-5);
        }
        std::ifstream file(cache.path);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        for (const char* const name : timed) CHECK_MESSAGE(text.find(name) != std::string::npos, name);
    };
    check(pools, {"engine 1: max pool + swish(1)", "engine 2: max pool", "engine 2: average pool",
                  "engine 2: average pool with padding", "cuda.pool"});
    check(norms, {"engine 1: instance norm + relu", "engine 2: instance norm", "engine 2: layer norm + gelu",
                  "engine 2: RMS norm", "cuda.norm"});
}

TEST_CASE("what cuDNN compiled for pools and norms is taken from the cache by later processes") {
    for (const char* const net : {pools, norms}) {
        const ScratchPlan folder("cuda_compiled_builds");
        Tensor first(DType::f32, {2, 4});
        for (const bool again : {false, true}) {
            EmulatedCuda device(true);
            device.fake.mode_a = {{.number = 7, .behavior_notes = {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}}};
            CompileOptions options = options_in(net, MathMode::f16);
            options.build_cache = folder.path;
            Outcome outcome = run(net, device, options);
            CHECK(outcome.steps_of("cudnn.pool") + outcome.steps_of("cudnn.norm") == 3);
            CHECK((device.fake.compiled == 0) == again);
            CHECK((device.fake.restored > 0) == again);
            if (again) CHECK(relative_difference(outcome.y, first) == 0);
            first = std::move(outcome.y);
        }
        std::filesystem::remove_all(folder.path);
    }
}

}  // namespace
}  // namespace seq::tests
