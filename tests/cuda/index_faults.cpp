#include <doctest/doctest.h>

#include "engine/compiled_model.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "tests/cuda/emulated_cuda.hpp"
#include "tests/cuda/fault_of.hpp"
#include "tests/engine/support.hpp"

// Row numbers that an Embedding has no rows for.
namespace seq::tests {
namespace {

constexpr const char* net = R"({"seq": 1, "inputs": {"x": {"shape": ["N", 3], "dtype": "i64"}}, "layers": [
    {"type": "Embedding", "num_embeddings": 10, "embedding_dim": 4, "name": "words"}, "ReLU", "Flatten",
    {"type": "Linear", "out_features": 2, "name": "y"}]})";

std::shared_ptr<CompiledModel> compiled(const EmulatedCuda& device) {
    const Graph graph = graph_of(net);
    return std::make_shared<CompiledModel>(graph, options_on_gpu(graph), device.backend());
}

Tensor numbers(std::vector<std::int64_t> rows) {
    Tensor tensor(DType::i64, {static_cast<std::int64_t>(rows.size()) / 3, 3});
    std::copy(rows.begin(), rows.end(), tensor.data<std::int64_t>().begin());
    return tensor;
}

constexpr const char* fault_of_17 =
    "run/index: Embedding `words` has rows 0 to 9, but element 4 of its input asks for row 17";

TEST_CASE("a row that is not there is an error of the run alone, at once, captured and launched again") {
    const EmulatedCuda device;
    Session session(compiled(device));
    const Tensor good = numbers({1, 2, 3, 4, 5, 6}), bad = numbers({1, 2, 3, 4, 17, 6});
    Tensor y(DType::f32, {2, 2});
    const auto run = [&](const Tensor& x) {
        return fault_text_of([&] { session.run({{"x", x.view()}}, {{"y", y.view()}}); });
    };
    for (int turn = 0; turn < 3; ++turn) {
        CAPTURE(turn);
        CHECK(run(bad) == fault_of_17);
        CHECK(run(bad) == fault_of_17);
        CHECK(run(good).empty());
    }
    CHECK(device.counts().captures == 1);
    CHECK(run(numbers({0, 9, 0, 0, 0, -1})).ends_with("element 5 of its input asks for row -1"));
    CHECK(run(numbers({0, 9, 0})).empty() == false);  // y is of two
    const Tensor large = numbers({0, std::int64_t{1} << 40, 0, 0, 0, 0});
    CHECK(run(large).ends_with("element 1 of its input asks for row 1099511627776"));
    CHECK(run(good).empty());
}

TEST_CASE("a row that is not there is told of by the CPU in the same words") {
    const Graph graph = graph_of(net);
    Session session = build(graph).session();
    const Tensor bad = numbers({1, 2, 3, 4, 17, 6});
    Tensor y(DType::f32, {2, 2});
    CHECK(fault_text_of([&] { session.run({{"x", bad.view()}}, {{"y", y.view()}}); }) == fault_of_17);
}

TEST_CASE("a run on a stream of the caller's that was not waited for tells of a bad row in a later one") {
    const EmulatedCuda device;
    EmulatedDevice::Stream stream;
    Session session(compiled(device), {.stream = &stream});
    const OnDevice good(device, numbers({1, 2, 3, 4, 5, 6})), bad(device, numbers({1, 2, 3, 4, 17, 6}));
    const OnDevice small(device, numbers({1, 2, 11})), y(device, Tensor(DType::f32, {2, 2})),
        z(device, Tensor(DType::f32, {1, 2}));
    const auto run = [&](const OnDevice& x, const OnDevice& to) {
        return fault_text_of([&] { session.run({{"x", x.view}}, {{"y", to.view}}); });
    };
    for (int turn = 0; turn < 3; ++turn) {
        CAPTURE(turn);
        CHECK(run(bad, y).empty());
        CHECK(run(good, y).empty());  // nothing of it was done yet
        stream.wait();
        CHECK(run(good, y) == fault_of_17);
        CHECK(run(good, y).empty());
        stream.wait();
        CHECK(run(good, y).empty());
    }
    // A later run of another size, and after others were handed over that see the old record.
    CHECK(run(small, z).empty());
    stream.wait();
    CHECK(run(good, y).find("element 2 of its input asks for row 11") != std::string::npos);
    CHECK(run(good, y).empty());
    stream.wait();
    CHECK(run(small, z).empty());
    stream.wait();
    CHECK(run(small, z).ends_with("element 2 of its input asks for row 11"));
}

TEST_CASE("a run is not told of a bad row of the run before it, which had no room") {
    EmulatedCuda device;
    Session session(compiled(device));
    const Tensor good = numbers({1, 2, 3, 4, 5, 6}), bad = numbers({1, 2, 3, 4, 17, 6});
    Tensor y(DType::f32, {2, 2});
    const auto execute = device.fake.on_execute;
    const auto run = [&](const Tensor& x, bool has_room) {
        device.fake.on_execute = [&, has_room](const FakeRun& work) {
            return has_room ? execute(work) : CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
        };
        return fault_text_of([&] { session.run({{"x", x.view()}}, {{"y", y.view()}}); });
    };
    CHECK(run(bad, false).starts_with("device/memory: "));
    CHECK(run(good, true).empty());
    CHECK(run(good, true).empty());
    CHECK(run(bad, true) == fault_of_17);
    CHECK(run(good, true).empty());
}

TEST_CASE("on a stream of the caller's the next run tells of the bad row of one that had no room") {
    EmulatedCuda device;
    EmulatedDevice::Stream stream;
    Session session(compiled(device), {.stream = &stream});
    const OnDevice good(device, numbers({1, 2, 3, 4, 5, 6})), bad(device, numbers({1, 2, 3, 4, 17, 6}));
    const OnDevice y(device, Tensor(DType::f32, {2, 2}));
    const auto execute = device.fake.on_execute;
    const auto run = [&](const OnDevice& x, bool has_room) {
        device.fake.on_execute = [&, has_room](const FakeRun& work) {
            return has_room ? execute(work) : CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
        };
        return fault_text_of([&] { session.run({{"x", x.view}}, {{"y", y.view}}); });
    };
    CHECK(run(bad, false).starts_with("device/memory: "));
    stream.wait();
    CHECK(run(good, true) == fault_of_17);
    for (int turn = 0; turn < 3; ++turn) {
        CHECK(run(good, true).empty());
        stream.wait();
    }
}

TEST_CASE("of a run whose plan is gone a bad row is told of all the same") {
    const EmulatedCuda device;
    EmulatedDevice::Stream stream;
    const Graph graph = graph_of(net);
    CompileOptions options;
    options.device = Device::cuda();
    options.weights = random_weights(needed_parameters(graph), 5);
    options.plan_cache_bytes = 1;
    Session session(std::make_shared<CompiledModel>(graph, options, device.backend()), {.stream = &stream});
    const OnDevice bad(device, numbers({1, 2, 3, 4, 17, 6})), good(device, numbers({1, 2, 3}));
    const OnDevice y(device, Tensor(DType::f32, {2, 2})), z(device, Tensor(DType::f32, {1, 2}));
    CHECK(fault_text_of([&] { session.run({{"x", bad.view}}, {{"y", y.view}}); }).empty());
    const auto run = [&] { return fault_text_of([&] { session.run({{"x", good.view}}, {{"y", z.view}}); }); };
    CHECK(run() == fault_of_17);
    CHECK(run().empty());
    stream.wait();
    CHECK(run().empty());
    stream.wait();
}

TEST_CASE("a plan without an Embedding copies nothing back beside its outputs") {
    const EmulatedCuda device;
    const Graph graph = graph_of(
        R"({"seq": 1, "inputs": {"x": ["N", 3]}, "layers": [{"type": "Linear", "out_features": 2, "name": "y"}]})");
    CompileOptions options;
    options.device = Device::cuda();
    options.weights = random_weights(needed_parameters(graph), 5);
    const auto model = std::make_shared<CompiledModel>(graph, options, device.backend());
    model->plan({2});
    const int copies = device.counts().copies;
    Session session(model);
    const OnDevice x(device, filled({2, 3}, 0.3f)), y(device, Tensor(DType::f32, {2, 2}));
    for (int run = 0; run < 2; ++run) session.run({{"x", x.view}}, {{"y", y.view}});
    CHECK(device.counts().copies == copies);
    CHECK(device.counts().copies_in_graphs == 0);
}

}  // namespace
}  // namespace seq::tests
