#include <doctest/doctest.h>

#include "engine/compiled_model.hpp"
#include "engine/reference_run.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "tests/engine/emulated_device.hpp"
#include "tests/engine/support.hpp"

// Inputs and outputs in the device's memory: where kernels find them there, and where they are copied.
namespace seq::tests {
namespace {

/// y = x + ReLU(Linear(x)): what reads x comes after what writes something as large.
constexpr const char* residual_net = R"({"seq": 1, "inputs": {"x": ["N", 8]}, "layers": [
    {"type": "Linear", "out_features": 8, "name": "fc"}, "ReLU", {"type": "Add", "from": ["1", "x"], "name": "y"}]})";

struct Device {
    explicit Device(const char* spec) : graph(graph_of(spec)) {
        CompileOptions options;
        options.device = seq::Device::cuda();
        options.weights = random_weights(needed_parameters(graph), 5);
        model = std::make_shared<CompiledModel>(graph, options, emulated.backend());
    }
    /// What the CPU gives.
    Tensor expected(std::vector<NamedTensor> inputs, const char* name) const {
        Session session = build(graph).session();
        const auto sizes = session.output_sizes(name, inputs);
        Tensor result(DType::f32, sizes);
        const NamedTensor output{name, result.view()};
        session.run(inputs, {&output, 1});
        return result;
    }

    Graph graph;
    EmulatedDevice emulated;
    std::shared_ptr<CompiledModel> model;
};

/// Copies of a run that the host hands over or that are in a graph captured for it.
template <class Work>
int copies_in(const EmulatedDevice& device, const Work& work) {
    device.counts() = {};
    work();
    return device.counts().copies + device.counts().copies_in_graphs;
}

TEST_CASE("kernels read and write the caller's memory on a device, from the first run on") {
    const Device device(residual_net);
    Session session(device.model);
    const Tensor x = filled({3, 8}, 0.3f);
    const OnDevice in(device.emulated, x), out(device.emulated, Tensor(DType::f32, {3, 8}));
    for (int run = 0; run < 4; ++run) {
        CAPTURE(run);
        CHECK(copies_in(device.emulated, [&] { session.run({{"x", in.view}}, {{"y", out.view}}); }) == 0);
        CHECK(device.emulated.counts().captures == (run == 1 ? 1 : 0));
        CHECK(device.emulated.counts().launches == (run == 0 ? 0 : 1));
        CHECK(relative_difference(read(out), device.expected({{"x", x.view()}}, "y")) <= 1e-5);
    }
}

TEST_CASE("sets of buffers that take turns on a device are each taken as they are") {
    const Device device(residual_net);
    Session session(device.model);
    const Tensor first = filled({2, 8}, 0.3f), second = filled({2, 8}, 0.6f);
    const OnDevice in[] = {{device.emulated, first}, {device.emulated, second}};
    const OnDevice out[] = {{device.emulated, Tensor(DType::f32, {2, 8})},
                            {device.emulated, Tensor(DType::f32, {2, 8})}};
    BoundRun runs[] = {session.bind({{"x", in[0].view}}, {{"y", out[0].view}}),
                       session.bind({{"x", in[1].view}}, {{"y", out[1].view}})};
    int copies = 0, captures = 0;
    for (int run = 0; run < 8; ++run) {
        CAPTURE(run);
        copies = copies_in(device.emulated, [&] { runs[run % 2].run(); });
        captures += device.emulated.counts().captures;
        CHECK(copies == (run == 1 ? 2 : 0));  // memory that was not seen before
        const Tensor& x = run % 2 == 0 ? first : second;
        CHECK(relative_difference(read(out[run % 2]), device.expected({{"x", x.view()}}, "y")) <= 1e-5);
    }
    CHECK(captures == 3);
}

TEST_CASE("memory on a device that is another in every run is copied, and nothing is captured for it") {
    const Device device(residual_net);
    Session session(device.model);
    const Tensor x = filled({2, 8}, 0.3f);
    std::vector<OnDevice> ins, outs;
    int captures = 0;
    for (int run = 0; run < 12; ++run) {
        CAPTURE(run);
        const OnDevice& in = ins.emplace_back(device.emulated, x);
        const OnDevice& out = outs.emplace_back(device.emulated, Tensor(DType::f32, {2, 8}));
        const int copies = copies_in(device.emulated, [&] { session.run({{"x", in.view}}, {{"y", out.view}}); });
        CHECK(copies == (run == 0 ? 0 : 2));
        captures += device.emulated.counts().captures;
        CHECK(relative_difference(read(out), device.expected({{"x", x.view()}}, "y")) <= 1e-5);
    }
    CHECK(captures == 1);
}

TEST_CASE("an input that lies where an output is written is copied first, wherever they overlap") {
    const Device device(residual_net);
    Session session(device.model);
    const Tensor both = filled({6, 8}, 0.3f);
    Tensor x(DType::f32, {3, 8});
    for (const std::int64_t rows : {0, 1, 2}) {
        CAPTURE(rows);
        for (int run = 0; run < 3; ++run) {
            const OnDevice memory(device.emulated, both);
            TensorView in = memory.view, out = memory.view;
            in.shape[0] = out.shape[0] = 3;
            out.data = memory.view.as<float>() + rows * 8;
            std::copy_n(both.view().as<float>(), 24, x.data<float>().data());
            const int copies = copies_in(device.emulated, [&] { session.run({{"x", in}}, {{"y", out}}); });
            CHECK(copies >= 1);
            const Tensor after = read(memory);
            Tensor y(DType::f32, {3, 8});
            std::copy_n(after.view().as<float>() + rows * 8, 24, y.data<float>().data());
            CHECK(relative_difference(y, device.expected({{"x", x.view()}}, "y")) <= 1e-5);
        }
    }
}

TEST_CASE("one tensor on a device may be two inputs") {
    const Device device(R"({"seq": 1, "inputs": {"a": ["N", 8], "b": ["N", 8]}, "layers": [
        {"type": "Linear", "out_features": 8, "from": "a"}, {"type": "Mul", "from": ["0", "b"], "name": "y"}]})");
    Session session(device.model);
    const Tensor x = filled({2, 8}, 0.3f);
    const OnDevice in(device.emulated, x), out(device.emulated, Tensor(DType::f32, {2, 8}));
    for (int run = 0; run < 3; ++run) {
        const auto work = [&] { session.run({{"a", in.view}, {"b", in.view}}, {{"y", out.view}}); };
        CHECK(copies_in(device.emulated, work) == 0);
        CHECK(relative_difference(read(out), device.expected({{"a", x.view()}, {"b", x.view()}}, "y")) <= 1e-5);
    }
}

TEST_CASE("memory on a device that is aligned to less than kernels read at once is copied") {
    const Device device(residual_net);
    Session session(device.model);
    const Tensor x = filled({2, 8}, 0.3f);
    const OnDevice in(device.emulated, filled({3, 8}, 0.3f)), out(device.emulated, Tensor(DType::f32, {3, 8}));
    for (const std::int64_t skipped : {1, 2, 4}) {
        CAPTURE(skipped);
        TensorView from = in.view, to = out.view;
        from.shape[0] = to.shape[0] = 2;
        from.data = in.view.as<float>() + skipped;
        to.data = out.view.as<float>() + skipped;
        Tensor moved(DType::f32, {2, 8});
        std::copy_n(read(in).view().as<float>() + skipped, 16, moved.data<float>().data());
        int copies = 0;
        for (int run = 0; run < 3; ++run)
            copies = copies_in(device.emulated, [&] { session.run({{"x", from}}, {{"y", to}}); });
        CHECK(copies == (skipped == 4 ? 0 : 2));
        Tensor y(DType::f32, {2, 8});
        std::copy_n(read(out).view().as<float>() + skipped, 16, y.data<float>().data());
        CHECK(relative_difference(y, device.expected({{"x", moved.view()}}, "y")) <= 1e-5);
    }
}

}  // namespace
}  // namespace seq::tests
