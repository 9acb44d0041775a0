#include <doctest/doctest.h>

#include "engine/compiled_model.hpp"
#include "engine/reference_run.hpp"
#include "tests/cuda/emulated_cuda.hpp"
#include "tests/engine/support.hpp"

// Where a model's weights lie on a GPU.
namespace seq::tests {
namespace {

/// Weights that cuDNN multiplies, a bias of zeros, those of a depthwise convolution, and some that are read plain.
constexpr const char* net = R"({"seq": 1, "inputs": {"x": ["N", 3, 9, 8]}, "layers": [
    {"type": "Conv2d", "out_channels": 8, "kernel_size": 3, "bias": false, "name": "a"}, "ReLU",
    {"type": "Conv2d", "out_channels": 8, "kernel_size": 3, "padding": 1, "groups": 8, "name": "b"}, "PReLU",
    {"type": "LayerNorm", "normalized_shape": [7, 6], "name": "c"}, "Flatten",
    {"type": "Linear", "out_features": 5, "name": "y"}]})";

/// What the parameters, and zeros for a bias, take as f32 where each begins at a multiple of 256 bytes.
constexpr std::size_t weights_of_net = 1024 + 256 + 512 + 256 + 256 + 256 + 256 + 6912 + 256;

std::shared_ptr<CompiledModel> compiled(const EmulatedCuda& device) {
    const Graph graph = graph_of(net);
    return std::make_shared<CompiledModel>(graph, options_on_gpu(graph), device.backend());
}

double error_of(const std::shared_ptr<CompiledModel>& model, std::int64_t samples) {
    const Graph graph = graph_of(net);
    const Tensor x = filled({samples, 3, 9, 8}, 0.3f);
    Tensor y(DType::f32, {samples, 5}), expected(DType::f32, {samples, 5});
    build(graph).session().run({{"x", x.view()}}, {{"y", expected.view()}});
    Session session(model);
    double largest = 0;
    for (int run = 0; run < 3; ++run) {
        session.run({{"x", x.view()}}, {{"y", y.view()}});
        largest = std::max(largest, relative_difference(y, expected));
    }
    return largest;
}

TEST_CASE("all weights of a model on a GPU lie in one allocation of their size, and go with it") {
    const EmulatedCuda device;
    {
        const auto model = compiled(device);
        model->plan({2});
        CHECK(device.memory().allocations_in_use() == 1);
        CHECK(device.memory().bytes_in_use() == weights_of_net);
        CHECK(error_of(model, 2) <= 1e-5);
        CHECK(device.memory().allocations_in_use() == 1);
    }
    CHECK(device.memory().bytes_in_use() == 0);
}

TEST_CASE("plans for other sizes take the weights from where they are") {
    const EmulatedCuda device;
    const auto model = compiled(device);
    model->plan({2});
    const std::size_t before = device.memory().bytes_in_use();
    model->plan({3});
    // Each plan has zeros of its own for the bias.
    CHECK(device.memory().bytes_in_use() == before + 256);
    CHECK(error_of(model, 3) <= 1e-5);
    CHECK(error_of(model, 2) <= 1e-5);
}

TEST_CASE("weights stay where they are while a GPU has no room for two copies of them") {
    const EmulatedCuda device;
    const auto model = compiled(device);
    device.memory().limit_memory(weights_of_net + weights_of_net / 2);
    model->plan({2});
    CHECK(device.memory().allocations_in_use() > 1);
    CHECK(device.memory().bytes_in_use() <= weights_of_net);
    device.memory().limit_memory(std::numeric_limits<std::size_t>::max());
    CHECK(error_of(model, 2) <= 1e-5);
    const std::size_t before = device.memory().bytes_in_use();
    model->plan({3});
    CHECK(device.memory().bytes_in_use() <= before + 512);
    CHECK(error_of(model, 3) <= 1e-5);
    CHECK(error_of(model, 2) <= 1e-5);
}

}  // namespace
}  // namespace seq::tests
