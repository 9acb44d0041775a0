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

constexpr const char* net = R"({"seq": 1, "inputs": {"x": [2, 3, 17, 19]}, "layers": [
    {"type": "Conv2d", "out_channels": 6, "kernel_size": 3, "padding": 1}, "ReLU",
    {"type": "MaxPool2d", "kernel_size": 3, "stride": 2, "padding": 1}, "SiLU",
    {"type": "Conv2d", "out_channels": 5, "kernel_size": 1},
    {"type": "AvgPool2d", "kernel_size": 3, "stride": 2, "padding": 1},
    {"type": "MaxPool2d", "kernel_size": 2, "stride": 1, "dilation": 2},
    {"type": "AdaptiveAvgPool2d", "output_size": 1}, "Flatten",
    {"type": "Linear", "out_features": 4, "name": "fc"}]})";

struct Outcome {
    Tensor y = Tensor(DType::f32, {2, 4});
    /// By kernel name, in the order of the steps.
    std::vector<std::string> kernels, descriptions;
    std::vector<Refusal> refusals;
    bool was_timed = false;

    int steps_of(std::string_view kernel) const {
        return static_cast<int>(std::count(kernels.begin(), kernels.end(), kernel));
    }
    bool says(std::string_view kernel, std::string_view reason) const {
        return std::any_of(refusals.begin(), refusals.end(), [&](const Refusal& refusal) {
            return refusal.kernel == kernel && refusal.reason.find(reason) != std::string::npos;
        });
    }
};

Outcome run(const EmulatedCuda& device, const CompileOptions& options) {
    const Graph graph = graph_of(net);
    const auto model = std::make_shared<CompiledModel>(graph, options, device.backend());
    Outcome outcome;
    outcome.was_timed = device.counts().kernels > 0;
    Session session(model);
    const Tensor x = filled({2, 3, 17, 19}, 0.3f);
    for (int i = 0; i < 3; ++i) session.run({{"x", x.view()}}, {{"fc", outcome.y.view()}});
    for (const Step& step : session.plan()->steps) {
        if (step.nodes.empty()) continue;
        outcome.kernels.push_back(step.kernel_name);
        outcome.descriptions.push_back(step.kernel->description);
        outcome.refusals.insert(outcome.refusals.end(), step.refusals.begin(), step.refusals.end());
    }
    return outcome;
}

CompileOptions options_in(MathMode math, const std::string& timings = {}) {
    CompileOptions options = options_on_gpu(graph_of(net), timings);
    options.dtype = math;
    return options;
}

Tensor expected_answer() {
    const Graph graph = graph_of(net);
    const Tensor x = filled({2, 3, 17, 19}, 0.3f);
    return std::move(run_reference(graph, random_weights(needed_parameters(graph), 5), {{"x", x.view()}}).at("fc"));
}

double allowed(MathMode math) { return math == MathMode::bf16 ? 2e-2 : math == MathMode::f16 ? 2e-3 : 1e-5; }

TEST_CASE("pools of a network are cuDNN's first, and our own where it refuses") {
    const Tensor expected = expected_answer();
    for (const MathMode math : all_math_modes) {
        CAPTURE(name_of(math));
        const Outcome by_cudnn = run(EmulatedCuda(), options_in(math));
        CHECK(by_cudnn.steps_of("cudnn.pool") == 3);
        CHECK(by_cudnn.steps_of("cuda.pool") == 1);
        CHECK(by_cudnn.says("cudnn.pool", "has no windows with a dilation"));
        CHECK(std::count(by_cudnn.descriptions.begin(), by_cudnn.descriptions.end(),
                         "cuDNN engine 1: max pool + swish(1)") == 1);
        CHECK(relative_difference(by_cudnn.y, expected) <= allowed(math));

        EmulatedCuda refusing;
        refusing.fake.error_text = "no pools here";
        refusing.fake.on_finalize = [](const FakeDescriptor& descriptor) {
            const bool pools = descriptor.type == CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR &&
                               operations_of(descriptor).starts_with("pool");
            return pools ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_SUCCESS;
        };
        const Outcome by_own = run(refusing, options_in(math));
        CHECK(std::count(by_own.kernels.begin(), by_own.kernels.end(), "cudnn.convolution") == 2);
        CHECK(by_own.steps_of("cudnn.pool") == 0);
        CHECK(by_own.steps_of("cuda.pool") == 4);
        CHECK(by_own.says("cudnn.pool", "average pool with padding: finalising a operation graph: "));
        CHECK(by_own.says("cudnn.pool", "no pools here"));
        CHECK(relative_difference(by_own.y, expected) <= allowed(math));
    }
}

TEST_CASE("tuning times cuDNN's plans for pools beside our own kernel, and finds its choice again") {
    const ScratchFile cache("cuda_pool_timings.json");
    std::vector<std::string> first;
    for (const bool again : {false, true}) {
        EmulatedCuda device;
        device.fake.mode_a = {{.number = 1}, {.number = 2}};
        const Outcome outcome = run(device, options_in(MathMode::f32, cache.path));
        CHECK(outcome.was_timed != again);
        if (again) CHECK(outcome.descriptions == first);
        first = outcome.descriptions;
        CHECK(relative_difference(outcome.y, expected_answer()) <= 1e-5);
    }
    std::ifstream file(cache.path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (const char* const timed : {"engine 1: max pool + swish(1)", "engine 2: max pool", "engine 2: average pool",
                                    "engine 2: average pool with padding", "cuda.pool"})
        CHECK_MESSAGE(text.find(timed) != std::string::npos, timed);
}

TEST_CASE("what cuDNN compiled for pools is taken from the cache by later processes") {
    const ScratchPlan folder("cuda_pool_builds");
    Tensor first(DType::f32, {2, 4});
    for (const bool again : {false, true}) {
        EmulatedCuda device(true);
        device.fake.mode_a = {{.number = 7, .behavior_notes = {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}}};
        CompileOptions options = options_in(MathMode::f16);
        options.build_cache = folder.path;
        Outcome outcome = run(device, options);
        CHECK(outcome.steps_of("cudnn.pool") == 3);
        CHECK((device.fake.compiled == 0) == again);
        CHECK((device.fake.restored > 0) == again);
        if (again) CHECK(relative_difference(outcome.y, first) == 0);
        first = std::move(outcome.y);
    }
    std::filesystem::remove_all(folder.path);
}

}  // namespace
}  // namespace seq::tests
