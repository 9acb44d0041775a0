#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>

#include "engine/reference_run.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"

// What cuDNN has only compiled, pools and norms, between layers that multiply, where values are kept as f16 and bf16
// too; norms of one size with a bias and without, whose graphs are alike.
namespace seq::tests {
namespace {

struct CompiledNet {
    const char* name;
    std::vector<std::int64_t> input;
    const char* layers;
};

const CompiledNet nets[] = {
    {"pools", {2, 3, 29, 26}, R"([
        {"type": "Conv2d", "out_channels": 16, "kernel_size": 3, "padding": 1}, "ReLU",
        {"type": "MaxPool2d", "kernel_size": 3, "stride": 2, "padding": 1}, "SiLU",
        {"type": "Conv2d", "out_channels": 24, "kernel_size": 1},
        {"type": "AvgPool2d", "kernel_size": 2}, "ReLU",
        {"type": "AvgPool2d", "kernel_size": 3, "stride": 1, "padding": 1, "count_include_pad": false},
        {"type": "Conv2d", "out_channels": 16, "kernel_size": 1},
        {"type": "AdaptiveAvgPool2d", "output_size": 1}, "Flatten",
        {"type": "Linear", "out_features": 8, "name": "y"}])"},
    {"instance norms", {2, 3, 14, 13}, R"([
        {"type": "Conv2d", "out_channels": 16, "kernel_size": 3, "padding": 1},
        {"type": "InstanceNorm2d"}, "ReLU",
        {"type": "Conv2d", "out_channels": 16, "kernel_size": 1},
        {"type": "InstanceNorm2d", "affine": true}, "ReLU",
        {"type": "Conv2d", "out_channels": 16, "kernel_size": 1},
        {"type": "InstanceNorm2d"}, "ReLU", "Flatten",
        {"type": "Linear", "out_features": 8, "name": "y"}])"},
    {"layer norms", {6, 40}, R"([
        {"type": "Linear", "out_features": 64},
        {"type": "LayerNorm", "normalized_shape": 64, "elementwise_affine": false}, "GELU",
        {"type": "Linear", "out_features": 64},
        {"type": "LayerNorm", "normalized_shape": 64}, "GELU",
        {"type": "Linear", "out_features": 64},
        {"type": "LayerNorm", "normalized_shape": 64, "bias": false}, "GELU",
        {"type": "Linear", "out_features": 64},
        {"type": "RMSNorm", "normalized_shape": 64},
        {"type": "Linear", "out_features": 8, "name": "y"}])"},
};

Tensor noise(const std::vector<std::int64_t>& sizes) {
    Tensor tensor(DType::f32, sizes);
    std::mt19937 generator(11);
    std::normal_distribution<float> distribution;
    for (float& value : tensor.data<float>()) value = distribution(generator);
    return tensor;
}

std::string kernels_of(const Session& session) {
    std::map<std::string, int> steps;
    for (const Step& step : session.plan()->steps) {
        if (!step.nodes.empty()) ++steps[step.kernel_name];
    }
    std::string text;
    for (const auto& [kernel, count] : steps) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, kernel);
    return text;
}

void check_compiled(const CompiledNet& net, MathMode math, Tally& tally) {
    std::string sizes;
    for (const std::int64_t size : net.input) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
    const Graph graph =
        graph_of(fmt::format(R"({{"seq": 1, "inputs": {{"x": [{}]}}, "layers": {}}})", sizes, net.layers));
    const Tensor x = noise(net.input);
    CompileOptions options;
    options.weights = random_weights(needed_parameters(graph), 5);
    const Tensor expected = std::move(run_reference(graph, options.weights, {{"x", x.view()}}).at("y"));
    Session session(on_gpu(graph, math, options));
    std::vector<NamedArray> first, again;
    tally.runs(net.name);
    for (int run = 0; run < 3; ++run) {
        auto& results = run == 0 ? first : again;
        results.clear();
        results.push_back({"y", Tensor(DType::f32, expected.sizes())});
        session.run({{"x", x.view()}}, {{"y", results.front().tensor.view()}});
        if (run > 0) tally.require(same_bytes(first, again), net.name, "captured it gives other bits than at once");
    }
    tally.compare(net.name, relative_distance(first.front().tensor, expected));
    tally.note(fmt::format("{}: {}", net.name, kernels_of(session)));
}

TEST_CASE("pools and norms between layers that multiply agree with the reference") {
    for (const MathMode math : all_math_modes) {
        Tally tally("compiled layers", math, agreement(math));
        for (const CompiledNet& net : nets) tally.attempt(net.name, [&] { check_compiled(net, math, tally); });
    }
}

}  // namespace
}  // namespace seq::tests
