#include <doctest/doctest.h>

#include <limits>
#include <map>

#include "engine/reference_run.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"

// Of cuDNN's engines only one promises that its fused ReLU keeps a NaN, which the graphs ask of all of them.
namespace seq::tests {
namespace {

struct FusedLayer {
    const char* name;
    const char* spec;
};

constexpr FusedLayer fused_layers[] = {
    {"conv + relu", R"({"seq": 1, "inputs": {"x": [2, 32, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 64, "kernel_size": 3, "padding": 1}, "ReLU"]})"},
    {"conv + residual + relu", R"({"seq": 1, "inputs": {"x": [2, 64, 14, 14]}, "layers": [
        {"type": "Conv2d", "name": "c", "out_channels": 64, "kernel_size": 1},
        {"type": "Add", "from": ["c", "x"]}, "ReLU"]})"},
    {"conv + relu6", R"({"seq": 1, "inputs": {"x": [2, 32, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 96, "kernel_size": 1}, "ReLU6"]})"},
    {"depthwise + relu", R"({"seq": 1, "inputs": {"x": [2, 32, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 32, "kernel_size": 3, "padding": 1, "groups": 32}, "ReLU"]})"},
    {"linear + relu", R"({"seq": 1, "inputs": {"x": [32, 256]}, "layers": [
        {"type": "Linear", "out_features": 128}, "ReLU"]})"},
    {"conv + relu + max pool", R"({"seq": 1, "inputs": {"x": [2, 32, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 64, "kernel_size": 3, "padding": 1}, "ReLU",
        {"type": "MaxPool2d", "kernel_size": 2}]})"},
    {"conv + max pool", R"({"seq": 1, "inputs": {"x": [2, 32, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 64, "kernel_size": 1},
        {"type": "MaxPool2d", "kernel_size": 3, "stride": 2, "padding": 1}]})"},
    {"conv + average pool", R"({"seq": 1, "inputs": {"x": [2, 32, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 64, "kernel_size": 1},
        {"type": "AvgPool2d", "kernel_size": 3, "stride": 2, "padding": 1}]})"},
    {"linear + layer norm", R"({"seq": 1, "inputs": {"x": [32, 256]}, "layers": [
        {"type": "Linear", "out_features": 128}, {"type": "LayerNorm", "normalized_shape": 128}]})"},
};

Tensor with_nan(std::span<const std::int64_t> sizes) {
    Tensor x(DType::f32, sizes);
    const std::span<float> values = x.data<float>();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 37 % 101) / 50 - 1;
    values[values.size() / 4] = std::numeric_limits<float>::quiet_NaN();
    return x;
}

void check(const FusedLayer& layer, MathMode math, Tally& tally) {
    const Graph graph = graph_of(layer.spec);
    const auto weights = random_weights(needed_parameters(graph), 5);
    const Tensor x = with_nan(*graph.inputs().front()->type.shape.sizes());
    const std::string& output = graph.output_names().front();
    const std::map<std::string, TensorView> inputs{{"x", x.view()}};
    const Tensor expected = std::move(run_reference(graph, weights, inputs).at(output));
    CompileOptions options;
    options.weights = weights;
    Session session(on_gpu(graph, math, options));
    for (int run = 0; run < 2; ++run) {
        Tensor y(DType::f32, expected.sizes());
        session.run({{"x", x.view()}}, {{output, y.view()}});
        // Infinite where one is NaN and the other is not.
        tally.compare(layer.name, relative_distance(y.view(), expected.view()));
    }
}

TEST_CASE("a NaN goes through fused layers as through the reference's") {
    for (const MathMode math : all_math_modes) {
        Tally tally("a NaN in fused layers", math, agreement(math));
        for (const FusedLayer& layer : fused_layers) tally.attempt(layer.name, [&] { check(layer, math, tally); });
    }
}

}  // namespace
}  // namespace seq::tests
