#include <doctest/doctest.h>

#include <algorithm>

#include "tests/cuda/emulated_cuda.hpp"
#include "tests/gpu/ways.hpp"

// What tests/gpu find of cuDNN's ways to run a layer, of a cuDNN that fails at some.
namespace seq::tests {
namespace {

using namespace cuda;

constexpr const char* conv_relu = R"({"seq": 1, "inputs": {"x": [2, 8, 5, 5]}, "layers": [
    {"type": "Conv2d", "out_channels": 16, "kernel_size": 3, "padding": 1}, "ReLU"]})";

/// What is done in place of the call of this number, from 1 on, of a cuDNN that has five engines.
WayResult run_with(int number, const std::function<cudnnStatus_t(EmulatedCuda&, const FakeRun&)>& other) {
    EmulatedCuda device;
    for (std::int64_t engine = 2; engine < 6; ++engine) device.fake.mode_a.push_back({.number = engine});
    LayerWays ways(conv_relu, device.backend());
    const auto execute = device.fake.on_execute;
    int calls = 0;
    device.fake.on_execute = [&](const FakeRun& run) {
        if (++calls != number) return execute(run);
        const cudnnStatus_t status = other(device, run);
        return status == CUDNN_STATUS_SUCCESS ? execute(run) : status;
    };
    const WayResult result = ways.run(3, MathMode::f32);
    CHECK(ways.count() >= 5);
    CHECK(result.description.find("engine 4") != std::string::npos);
    return result;
}

TEST_CASE("a way is run at once and captured, and its bits are compared") {
    const WayResult result = run_with(0, {});
    CHECK(result.distance < 1e-5);
    CHECK(result.has_same_bits);
    CHECK(result.refused_capture.empty());
}

TEST_CASE("a way that gives other bits when it is captured is found, and so is one that is wrong then alone") {
    EmulatedCuda device;
    LayerWays ways(conv_relu, device.backend());
    const auto execute = device.fake.on_execute;
    int calls = 0;
    device.fake.on_execute = [&](const FakeRun& run) {
        FakeRun other = run;
        for (Operation& operation : other.graph.operations) {
            auto* pointwise = std::get_if<PointwiseOperation>(&operation);
            if (calls == 1 && pointwise != nullptr && !pointwise->b)
                pointwise->function = PointwiseFunction::clip(0.5f, 1);
        }
        ++calls;
        return execute(other);
    };
    const WayResult result = ways.run(0, MathMode::f32);
    CHECK(calls == 2);
    CHECK_FALSE(result.has_same_bits);
    CHECK(result.distance > 1e-2);
}

TEST_CASE("a way that is refused where it is captured is told from one that fails") {
    const WayResult result = run_with(2, [](auto&, const FakeRun&) { return CUDNN_STATUS_EXECUTION_FAILED; });
    CHECK(result.refused_capture.find("running a plan") != std::string::npos);
    CHECK(code_of([&] { run_with(1, [](auto&, const FakeRun&) { return CUDNN_STATUS_EXECUTION_FAILED; }); }) ==
          "device/failed");
    // The GPU itself fails, when what was captured runs.
    CHECK(code_of([&] {
              run_with(2, [](EmulatedCuda& device, const FakeRun&) {
                  device.memory().fail();
                  return CUDNN_STATUS_SUCCESS;
              });
          }) == "device/failed");
}

TEST_CASE("ways from the first to the last come before the others, and all of them once") {
    CHECK(spread_first(0, 10).empty());
    CHECK(spread_first(1, 10) == std::vector<std::size_t>{0});
    CHECK(spread_first(3, 10) == std::vector<std::size_t>{0, 1, 2});
    CHECK(spread_first(5, 2) == std::vector<std::size_t>{0, 4, 1, 2, 3});
    std::vector<std::size_t> order = spread_first(47, 10);
    CHECK(order[9] == 46);
    CHECK(std::is_sorted(order.begin(), order.begin() + 10));
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < 47; ++i) CHECK(order[i] == i);
    CHECK(order.size() == 47);
}

}  // namespace
}  // namespace seq::tests
