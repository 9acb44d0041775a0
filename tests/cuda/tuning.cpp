#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "engine/compiled_model.hpp"
#include "engine/plan_file/meta.hpp"
#include "engine/plan_file/plan_record.hpp"
#include "engine/reference_run.hpp"
#include "engine/selection/trial_weights.hpp"
#include "tests/cuda/emulated_cuda.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

constexpr const char* net = R"({"seq": 1, "inputs": {"x": [2, 3, 9, 8]}, "layers": [
    {"type": "Conv2d", "out_channels": 16, "kernel_size": 3}, "SiLU",
    {"type": "Conv2d", "out_channels": 5, "kernel_size": 3}, "ReLU", "Flatten",
    {"type": "Linear", "out_features": 5, "name": "fc"}]})";

CompileOptions options_for(const Graph& graph, const std::string& cache, MathMode math) {
    CompileOptions options = options_on_gpu(graph, cache);
    options.dtype = math;
    return options;
}

struct Outcome {
    Tensor y;
    std::vector<std::string> descriptions;
    int kernels = 0;  ///< that the host handed over while the model was compiled
};

Outcome run(const Graph& graph, const CompileOptions& options) {
    EmulatedCuda device;
    device.fake.mode_a = {{.number = 1}, {.number = 2}, {.number = 3}};
    const auto model = std::make_shared<CompiledModel>(graph, options, device.backend());
    Outcome outcome{Tensor(DType::f32, {2, 5}), {}, device.counts().kernels};
    Session session(model);
    const Tensor x = filled({2, 3, 9, 8}, 0.3f);
    for (int i = 0; i < 3; ++i) session.run({{"x", x.view()}}, {{"fc", outcome.y.view()}});
    for (const Step& step : session.plan()->steps) outcome.descriptions.push_back(step.kernel->description);
    return outcome;
}

/// The variants by kernel that the cache has times of.
std::map<std::string, std::set<std::string>> measured(const std::string& cache) {
    std::map<std::string, std::set<std::string>> variants;
    std::ifstream file(cache);
    const auto json = nlohmann::json::parse(file);
    for (const auto& machine : json.at("machines")) {
        for (const auto& layer : machine) {
            for (const auto& candidate : layer) {
                if (candidate.contains("variant"))
                    variants[candidate.at("kernel")].insert(candidate.at("variant").get<std::string>());
            }
        }
    }
    return variants;
}

TEST_CASE("every plan of cuDNN's is timed on a device, and the choice is taken from the cache the next time") {
    const Graph graph = graph_of(net);
    for (const MathMode math : {MathMode::f32, MathMode::f16}) {
        CAPTURE(name_of(math));
        const ScratchFile cache("cuda_timings.json");
        const Outcome first = run(graph, options_for(graph, cache.path, math));
        CHECK(first.kernels > 0);
        const auto variants = measured(cache.path);
        CHECK(variants.at("cudnn.convolution").contains("engine 3: convolution + bias + swish(1)"));
        CHECK(variants.at("cudnn.convolution").contains("engine 2: convolution + bias"));
        CHECK(variants.at("cudnn.convolution").size() == 3 * 4);
        CHECK(variants.at("cudnn.linear").contains("engine 1: linear as a convolution + bias"));
        const Outcome again = run(graph, options_for(graph, cache.path, math));
        CHECK(again.kernels == 0);
        CHECK(again.descriptions == first.descriptions);
        CHECK(relative_difference(again.y, first.y) == 0);
        const Outcome untuned = run(graph, options_for(graph, {}, math));
        CHECK(relative_difference(untuned.y, first.y) <= (math == MathMode::f32 ? 1e-5 : 5e-3));
    }
}

TEST_CASE("all trials share a queue, which has a handle of cuDNN's, until the device fails") {
    const Graph graph = graph_of(net);
    for (const bool fails : {false, true}) {
        const ScratchFile cache("cuda_timings_queue.json");
        EmulatedCuda device;
        device.fake.mode_a = {{.number = 1}, {.number = 2}, {.number = 3}};
        if (fails) device.memory().fail();
        const CompileOptions options = options_for(graph, cache.path, MathMode::f32);
        CompiledModel(graph, options, device.backend()).plan({});
        CHECK(measured(cache.path).at("cudnn.convolution").size() >= 11);
        // One more brings the weights together.
        CHECK(device.queues_made == (fails ? 3 : 2));
    }
}

TEST_CASE("what was measured is kept though tuning ends before all is") {
    const Graph graph = graph_of(net);
    const ScratchFile cache("cuda_timings_cut.json");
    CompileOptions options = options_for(graph, cache.path, MathMode::f32);
    options.on_tuning = [](std::size_t done, std::size_t, const std::string&) {
        if (done == 1) throw std::runtime_error("ended");
    };
    EmulatedCuda device;
    CHECK_THROWS_AS(CompiledModel(graph, options, device.backend()).plan({}), std::runtime_error);
    CHECK(measured(cache.path).size() == 1);
}

TEST_CASE("a plan's record names the variants, from which the plan is made again without measuring") {
    const Graph graph = graph_of(net);
    EmulatedCuda device;
    device.fake.mode_a = {{.number = 1}, {.number = 2}};
    CompiledModel model(graph, options_for(graph, {}, MathMode::f32), device.backend());
    const auto plan = model.plan({});
    plan_file::Meta meta;
    meta.plans = {plan_file::record_of(*plan, device.backend())};
    const std::string variants[] = {"engine 2: convolution + bias", "engine 1: convolution",
                                    "engine 2: linear as a convolution + bias"};
    REQUIRE(meta.plans[0].units.size() == 3);
    for (std::size_t u = 0; u < 3; ++u) meta.plans[0].units[u].offer.variant = variants[u];
    const auto read = plan_file::parse_meta(plan_file::print_meta(meta));
    TrialWeights weights;
    const auto restored = plan_file::restore(read.plans.at(0), plan->graph, device.backend(), model.options(), weights);
    std::vector<std::string> descriptions;
    for (const Step& step : restored->steps) {
        if (!step.nodes.empty()) descriptions.push_back(step.kernel->description);
    }
    REQUIRE(descriptions.size() == 3);
    for (std::size_t u = 0; u < 3; ++u) CHECK(descriptions[u] == "cuDNN " + variants[u]);
    CHECK(device.counts().kernels == 0);
}

}  // namespace
}  // namespace seq::tests
