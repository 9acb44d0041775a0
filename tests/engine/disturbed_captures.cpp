#include <doctest/doctest.h>

#include <cstring>

#include "engine/capture_tries.hpp"
#include "engine/compiled_model.hpp"
#include "engine/reference_run.hpp"
#include "engine/session.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "tests/engine/emulated_device.hpp"
#include "tests/engine/support.hpp"

// Sessions of a device whose captures something else in the process disturbs.
namespace seq::tests {
namespace {

constexpr const char* disturbed_net = R"({"seq": 1, "inputs": {"x": ["N", 3, 8, 8]}, "layers": [
    {"type": "Conv2d", "out_channels": 4, "kernel_size": 3}, "ReLU", "Flatten",
    {"type": "Linear", "out_features": 5, "name": "fc"}]})";

struct DisturbedCase {
    Session session(const SessionOptions& options = {}) const {
        CompileOptions compile;
        compile.device = Device::cuda();
        compile.weights = random_weights(needed_parameters(graph), 5);
        return Session(std::make_shared<CompiledModel>(graph, compile, device.backend()), options);
    }
    /// A run whose input is another each time, against the CPU.
    void check_run(Session& session, int number = 0) const {
        const Tensor x = filled({2, 3, 8, 8}, 0.1f + 0.01f * static_cast<float>(number));
        Tensor y(DType::f32, {2, 5}), expected(DType::f32, {2, 5});
        session.run({{"x", x.view()}}, {{"fc", y.view()}});
        Session cpu = build(graph).session();
        cpu.run({{"x", x.view()}}, {{"fc", expected.view()}});
        CHECK(relative_difference(y, expected) <= 1e-5);
    }

    Graph graph = graph_of(disturbed_net);
    EmulatedDevice device;
};

TEST_CASE("a run whose capture is disturbed gives its results, and a later one is captured") {
    const DisturbedCase on;
    Session session = on.session();
    on.check_run(session, 0);
    on.device.disturb_captures(1);
    on.check_run(session, 1);
    CHECK(on.device.counts().disturbed == 1);
    CHECK(on.device.counts().launches == 0);
    CHECK(session.not_captured() == "the emulated device's capture is disturbed as it was told");
    on.check_run(session, 2);
    CHECK(on.device.counts().captures == 1);
    CHECK(on.device.counts().launches == 1);
    CHECK(session.not_captured().empty());
}

TEST_CASE("a session whose captures are always disturbed gives its results, and tries a bounded number of times") {
    const DisturbedCase on;
    Session session = on.session();
    on.device.disturb_captures(1000);
    for (int run = 0; run < 300; ++run) on.check_run(session, run);
    CHECK(on.device.counts().disturbed == CaptureTries::most);
    CHECK(on.device.counts().launches == 0);
    CHECK_FALSE(session.not_captured().empty());
    // Another binding tries for itself.
    on.device.disturb_captures(0);
    const Tensor x = filled({1, 3, 8, 8}, 0.1f);
    Tensor y(DType::f32, {1, 5});
    for (int run = 0; run < 2; ++run) session.run({{"x", x.view()}}, {{"fc", y.view()}});
    CHECK(on.device.counts().captures == 1);
    CHECK(session.not_captured().empty());
}

TEST_CASE("each time after twice as many runs a capture is tried again") {
    CaptureTries tries;
    std::vector<int> tried;
    for (int run = 0; run < 1000; ++run) {
        if (!tries.is_due()) continue;
        tried.push_back(run);
        tries.fail("disturbed");
    }
    CHECK(tried == std::vector<int>{0, 1, 3, 7, 15, 31, 63, 127});
    tries.succeed();
    CHECK(tries.is_due());
    CHECK(tries.reason().empty());
}

TEST_CASE("a disturbed capture on a caller's stream leaves what is there in order") {
    const DisturbedCase on;
    EmulatedDevice::Stream stream;
    const Tensor first = filled({2, 3, 8, 8}, 0.1f), second = filled({2, 3, 8, 8}, 0.7f);
    const OnDevice x(on.device, second), other(on.device, first), y(on.device, Tensor(DType::f32, {2, 5}));
    Session session = on.session({.stream = &stream});
    Tensor expected(DType::f32, {2, 5});
    build(on.graph).session().run({{"x", first.view()}}, {{"fc", expected.view()}});
    for (int run = 0; run < 4; ++run) {
        CAPTURE(run);
        on.device.disturb_captures(run == 1 ? 1 : 0);
        stream.submit([&] { std::memcpy(x.view.data, other.view.data, first.byte_count()); });
        session.run({{"x", x.view}}, {{"fc", y.view}});
        CHECK(stream.pending() > 1);
        stream.submit([&] { std::memset(x.view.data, 0, first.byte_count()); });
        stream.wait();
        CHECK(relative_difference(read(y), expected) <= 1e-5);
    }
    CHECK(on.device.counts().launches == 2);
}

}  // namespace
}  // namespace seq::tests
