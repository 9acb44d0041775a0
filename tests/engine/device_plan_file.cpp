#include <doctest/doctest.h>

#include "engine/compiled_model.hpp"
#include "engine/plan_file/contents.hpp"
#include "engine/reference_run.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "tests/engine/emulated_device.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

const Backend* emulated = nullptr;
const Backend& emulated_backend(const Device& device) {
    CHECK(device == Device::cuda());
    return *emulated;
}

constexpr const char* net = R"({"seq": 1, "inputs": {"x": ["N", 3, 8, 8]}, "layers": [
    {"type": "Conv2d", "out_channels": 4, "kernel_size": 3}, "ReLU", "Flatten",
    {"type": "Linear", "out_features": 5, "name": "fc"}]})";

TEST_CASE("a plan for a device is stored, and serves such a device alone") {
    const Graph graph = graph_of(net);
    const EmulatedDevice device;
    emulated = &device.backend();
    CompileOptions options;
    options.device = Device::cuda();
    options.weights = random_weights(needed_parameters(graph), 5);
    const auto model = std::make_shared<CompiledModel>(graph, options, device.backend());
    const Tensor x = filled({2, 3, 8, 8}, 0.3f);
    Tensor expected(DType::f32, {2, 5}), actual(DType::f32, {2, 5});
    Session(model).run({{"x", x}}, {{"fc", expected}});

    const ScratchFile file("device.seqx");
    SaveOptions save;
    save.bindings = {{{"N", 2}}};
    save_compiled(Executable(model), file.path, save);
    const auto contents = plan_file::read_contents(plan_file::open_contents(file.path, {}, emulated_backend));
    CHECK(contents->native);
    const auto loaded = std::make_shared<CompiledModel>(contents, LoadOptions{});
    CHECK(loaded->device() == Device::cuda());
    CHECK(loaded->options().device == &device);
    Session session(loaded);
    for (int run = 0; run < 2; ++run) {
        session.run({{"x", x}}, {{"fc", actual}});
        CHECK(relative_difference(actual, expected) == 0);
    }
    for (const double difference : replay_test_vectors(Executable(loaded))) CHECK(difference == 0);

    const PlanFileInfo info = describe_compiled(file.path);
    CHECK(info.device == DeviceKind::cuda);
    CHECK(info.machine == "an emulated device");
    CHECK_FALSE(info.native);
    // A GPU that there is would have other kernels.
    const std::string code = code_of([&] { load_compiled(file.path); });
    CHECK((code == "device/unavailable" || code == "plan/version"));
}

TEST_CASE("a plan for the CPU names no device, and another device than there are is damage") {
    plan_file::Meta meta;
    const std::string text = plan_file::print_meta(meta);
    CHECK(text.find("device") == std::string::npos);
    CHECK(plan_file::parse_meta(text).device == DeviceKind::cpu);
    meta.device = DeviceKind::cuda;
    std::string other = plan_file::print_meta(meta);
    CHECK(plan_file::parse_meta(other).device == DeviceKind::cuda);
    other.replace(other.find("\"cuda\""), 6, "\"tape\"");
    CHECK_THROWS_AS(plan_file::parse_meta(other), std::invalid_argument);
}

}  // namespace
}  // namespace seq::tests
