#include "engine/device_instance.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "engine/compiled_model.hpp"
#include "engine/reference_run.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "tests/engine/emulated_device.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

std::shared_ptr<CompiledModel> on_device(const Graph& graph, const EmulatedDevice& device,
                                         std::shared_ptr<const WeightSource> weights = {},
                                         std::vector<std::string> taps = {}) {
    CompileOptions options;
    options.device = Device::cuda();
    options.weights = weights != nullptr ? std::move(weights) : random_weights(needed_parameters(graph), 5);
    options.taps = std::move(taps);
    return std::make_shared<CompiledModel>(graph, options, device.backend());
}

constexpr const char* small_net = R"({"seq": 1, "inputs": {"x": ["N", 3, 8, 8]}, "layers": [
    {"type": "Conv2d", "out_channels": 4, "kernel_size": 3}, "ReLU", "Flatten",
    {"type": "Linear", "out_features": 5, "name": "fc"}]})";

/// What the CPU gives.
Tensor expected(const Graph& graph, const Tensor& x) {
    Session session = build(graph).session();
    Tensor y(DType::f32, {x.sizes()[0], 5});
    session.run({{"x", x.view()}}, {{"fc", y.view()}});
    return y;
}

TEST_CASE("memory of the emulated device cannot be read by the host") {
    const EmulatedDevice device;
    const int number = 7;
    const auto copy = device.upload(&number, sizeof number);
    CHECK(is_readable(&number));
    CHECK_FALSE(is_readable(copy.get()));
    int back = 0;
    device.read(&back, copy.get(), sizeof back);
    CHECK(back == 7);
}

TEST_CASE(
    "every golden agrees with PyTorch on a device: at once, while it is captured, and when it is launched again") {
    for (const std::string& name : golden_names()) {
        CAPTURE(name);
        const Golden golden = load_golden(name);
        const EmulatedDevice device;
        std::vector<std::string> taps;
        for (const NamedArray& output : golden.outputs) taps.push_back(output.name);
        Session session(on_device(golden.graph, device, golden.weights, taps));
        std::vector<NamedArray> outputs;
        for (const NamedArray& output : golden.outputs)
            outputs.push_back({output.name, Tensor(output.tensor.dtype(), output.tensor.sizes())});
        for (int run = 0; run < 3; ++run) {
            CAPTURE(run);
            for (NamedArray& output : outputs) std::memset(output.tensor.view().data, 0x7b, output.tensor.byte_count());
            session.run(views(golden.inputs), views(outputs));
            for (std::size_t i = 0; i < outputs.size(); ++i)
                CHECK(relative_difference(outputs[i].tensor, golden.outputs[i].tensor) <= 1e-4);
        }
        CHECK(device.counts().captures == 1);
        CHECK(device.counts().launches == 2);
    }
}

TEST_CASE("a run is one launch, whatever the host's buffers are") {
    const Graph graph = graph_of(small_net);
    const EmulatedDevice device;
    Session session(on_device(graph, device));
    const Tensor first = filled({2, 3, 8, 8}, 0.1f), second = filled({2, 3, 8, 8}, 0.7f);
    Tensor y(DType::f32, {2, 5}), z(DType::f32, {2, 5});
    session.run({{"x", first.view()}}, {{"fc", y.view()}});
    session.run({{"x", first.view()}}, {{"fc", y.view()}});
    device.counts() = {};
    session.run({{"x", second.view()}}, {{"fc", z.view()}});
    CHECK(device.counts().launches == 1);
    CHECK(device.counts().kernels == 0);
    CHECK(device.counts().copies == 0);
    CHECK(device.counts().captures == 0);
    CHECK(relative_difference(z, expected(graph, second)) <= 1e-5);
    CHECK(relative_difference(y, expected(graph, first)) <= 1e-5);
}

TEST_CASE("tensors in the device's memory are taken as they are, in turn with the host's") {
    const Graph graph = graph_of(small_net);
    const EmulatedDevice device;
    Session session(on_device(graph, device));
    const Tensor x = filled({2, 3, 8, 8}, 0.4f);
    const auto on_device_x = device.upload(x.view().data, x.byte_count());
    const auto on_device_y = device.allocate(2 * 5 * sizeof(float));
    TensorView x_view = x.view();
    x_view.data = const_cast<void*>(on_device_x.get());
    x_view.device = Device::cuda();
    Tensor y(DType::f32, {2, 5});
    TensorView y_view = y.view();
    y_view.data = on_device_y.get();
    y_view.device = Device::cuda();
    for (int run = 0; run < 3; ++run) {
        CAPTURE(run);
        session.run({{"x", x_view}}, {{"fc", y_view}});
        device.read(y.view().data, on_device_y.get(), y.byte_count());
        CHECK(relative_difference(y, expected(graph, x)) <= 1e-5);
        std::memset(y.view().data, 0, y.byte_count());
        session.run({{"x", x_view}}, {{"fc", y.view()}});
        CHECK(relative_difference(y, expected(graph, x)) <= 1e-5);
    }
    TensorView other = x_view;
    other.device = Device::cuda(1);
    CHECK(code_of([&] { session.run({{"x", other}}, {{"fc", y.view()}}); }) == "input/device");
    TensorView crooked = x_view;
    crooked.data = x_view.as<std::byte>() + 1;
    CHECK(code_of([&] { session.run({{"x", crooked}}, {{"fc", y.view()}}); }) == "input/device");
}

TEST_CASE("sizes may change from run to run on a device") {
    const Graph graph = graph_of(small_net);
    const EmulatedDevice device;
    Session session(on_device(graph, device));
    for (int run = 0; run < 6; ++run) {
        const Tensor x = filled({run % 2 + 1, 3, 8, 8}, 0.2f + 0.1f * static_cast<float>(run));
        Tensor y(DType::f32, {run % 2 + 1, 5});
        session.run({{"x", x.view()}}, {{"fc", y.view()}});
        CHECK(relative_difference(y, expected(graph, x)) <= 1e-5);
    }
    CHECK(device.counts().captures == 2);
}

TEST_CASE("a device that fails fails for one session, from then on") {
    const Graph graph = graph_of(small_net);
    const EmulatedDevice device;
    const auto model = on_device(graph, device);
    Session session(model), other(model);
    const Tensor x = filled({1, 3, 8, 8}, 0.1f);
    Tensor y(DType::f32, {1, 5});
    const auto run = [&](Session& any) { return code_of([&] { any.run({{"x", x.view()}}, {{"fc", y.view()}}); }); };
    CHECK(run(session) == "");
    device.fail();
    CHECK(run(session) == "device/failed");
    CHECK(run(session) == "device/failed");
    CHECK(run(other) == "");
}

TEST_CASE("what a device holds goes with the model and its sessions") {
    const EmulatedDevice device;
    {
        Session session(on_device(graph_of(small_net), device));
        const Tensor x = filled({1, 3, 8, 8}, 0.1f);
        Tensor y(DType::f32, {1, 5});
        session.run({{"x", x.view()}}, {{"fc", y.view()}});
        CHECK(device.bytes_in_use() > 0);
    }
    CHECK(device.bytes_in_use() == 0);
}

TEST_CASE("runs on a stream of the caller's come after what he put there, and are not waited for") {
    const Graph graph = graph_of(small_net);
    const EmulatedDevice device;
    EmulatedDevice::Stream stream;
    Session session(on_device(graph, device), {.stream = &stream});
    const Tensor first = filled({2, 3, 8, 8}, 0.1f), second = filled({2, 3, 8, 8}, 0.7f);
    const OnDevice x(device, second), other(device, first), y(device, Tensor(DType::f32, {2, 5}));
    Tensor result(DType::f32, {2, 5});
    for (int run = 0; run < 3; ++run) {
        CAPTURE(run);
        stream.submit([&] { std::memcpy(x.view.data, other.view.data, first.byte_count()); });
        session.run({{"x", x.view}}, {{"fc", y.view}});
        CHECK(stream.pending() > 1);
        stream.submit([&] { std::memcpy(result.view().data, y.view.data, result.byte_count()); });
        stream.wait();
        CHECK(relative_difference(result, expected(graph, first)) <= 1e-5);
    }
    CHECK(device.counts().launches == 2);
}

TEST_CASE("a run on a stream of the caller's that reads or writes the host's memory is waited for") {
    const Graph graph = graph_of(small_net);
    const EmulatedDevice device;
    EmulatedDevice::Stream stream;
    Session session(on_device(graph, device), {.stream = &stream});
    const Tensor x = filled({2, 3, 8, 8}, 0.3f);
    const OnDevice on_device_x(device, x), on_device_y(device, Tensor(DType::f32, {2, 5}));
    Tensor y(DType::f32, {2, 5});
    for (int run = 0; run < 2; ++run) {
        session.run({{"x", on_device_x.view}}, {{"fc", y.view()}});
        CHECK(stream.pending() == 0);
        CHECK(relative_difference(y, expected(graph, x)) <= 1e-5);
        session.run({{"x", x.view()}}, {{"fc", on_device_y.view}});
        CHECK(stream.pending() == 0);
        device.read(y.view().data, on_device_y.view.data, y.byte_count());
        CHECK(relative_difference(y, expected(graph, x)) <= 1e-5);
    }
}

TEST_CASE("a session that goes waits for what it handed over; one on the CPU takes no stream") {
    const Graph graph = graph_of(small_net);
    const EmulatedDevice device;
    EmulatedDevice::Stream stream;
    const Tensor x = filled({2, 3, 8, 8}, 0.3f);
    const OnDevice on_device_x(device, x), on_device_y(device, Tensor(DType::f32, {2, 5}));
    {
        Session session(on_device(graph, device), {.stream = &stream});
        session.run({{"x", on_device_x.view}}, {{"fc", on_device_y.view}});
        CHECK(stream.pending() > 0);
    }
    CHECK(stream.pending() == 0);
    Tensor y(DType::f32, {2, 5});
    device.read(y.view().data, on_device_y.view.data, y.byte_count());
    CHECK(relative_difference(y, expected(graph, x)) <= 1e-5);
    CHECK(code_of([&] { build(graph).session({.stream = &stream}); }) == "spec/value");
}

/// A run of small_net with so many samples, against the CPU.
void check_run(Session& session, const Graph& graph, std::int64_t batch) {
    const Tensor x = filled({batch, 3, 8, 8}, 0.1f);
    Tensor y(DType::f32, {batch, 5});
    session.run({{"x", x.view()}}, {{"fc", y.view()}});
    CHECK(relative_difference(y, expected(graph, x)) <= 1e-5);
}

TEST_CASE("plans of a session share memory on a device, and a failure is all of theirs") {
    const Graph graph = graph_of(small_net);
    const EmulatedDevice device;
    Session session(on_device(graph, device));
    const auto run = [&](std::int64_t batch) { check_run(session, graph, batch); };
    run(64);
    const std::size_t large = device.bytes_in_use();
    run(63);
    const std::size_t edges = 63 * (3 * 8 * 8 + 5) * sizeof(float);
    CHECK(device.bytes_in_use() == large + edges);
    run(64);
    device.fail();
    CHECK(code_of([&] { run(63); }) == "device/failed");
    CHECK(code_of([&] { run(64); }) == "device/failed");
}

TEST_CASE("where a device has no room for another binding the earlier ones go; without them it is said") {
    const Graph graph = graph_of(small_net);
    const EmulatedDevice device;
    Session session(on_device(graph, device));
    const auto run = [&](std::int64_t batch) { check_run(session, graph, batch); };
    const std::size_t weights = device.bytes_in_use();
    run(100);
    const std::size_t one = device.bytes_in_use() - weights;
    device.limit_memory(weights + one + one / 2);
    run(101);
    run(100);
    run(60);
    CHECK(device.bytes_in_use() <= weights + one + one / 2);
    CHECK(code_of([&] { run(1000); }) == "device/memory");
    run(60);
}

}  // namespace
}  // namespace seq::tests
