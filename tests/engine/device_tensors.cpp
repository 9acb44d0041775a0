#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "engine/compiled_model.hpp"
#include "engine/edge_copy.hpp"
#include "engine/reference_run.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "graph/convert_tensor.hpp"
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

    /// One that has its plan for so many rows, and the weights where they stay.
    Session planned_session(std::int64_t rows) const {
        model->plan({rows});
        return Session(model);
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
    Session session = device.planned_session(3);
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
    Session session = device.planned_session(2);
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
    Session session = device.planned_session(2);
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

/// The elements of a tensor in a device's memory, with dimension `innermost` innermost, and behind another element.
OnDevice reordered(const Device& device, const Tensor& tensor, int innermost) {
    TensorView view = tensor.view();
    std::int64_t step = 1;
    for (int d = view.rank; d > 0; --d) {
        const int at = d == view.rank ? innermost : d - 1 >= innermost ? d : d - 1;
        view.strides[static_cast<std::size_t>(at)] = step;
        step *= view.shape[static_cast<std::size_t>(at)];
    }
    const Tensor room(tensor.dtype(), {step + 1});
    view.data = room.view().as<std::byte>() + size_of(tensor.dtype());
    copy_elements(tensor, view);
    OnDevice there(device.emulated, room);
    view.data = there.view.as<std::byte>() + size_of(tensor.dtype());
    view.device = seq::Device::cuda();
    there.view = view;
    return there;
}

Tensor read_reordered(const OnDevice& there) {
    OnDevice room = there;
    room.view.data = const_cast<void*>(there.memory.get());
    const std::int64_t count = there.view.element_count() + 1;
    room.view = TensorView::dense(room.view.data, there.view.dtype, {&count, 1});
    const Tensor all = read(room);
    TensorView view = there.view;
    view.data = all.view().as<std::byte>() + size_of(view.dtype);
    view.device = seq::Device::cpu();
    Tensor tensor(view.dtype, view.sizes());
    copy_elements(view, tensor);
    return tensor;
}

bool are_same(const Tensor& a, const Tensor& b) {
    return a.dtype() == b.dtype() && std::memcmp(a.view().data, b.view().data, a.byte_count()) == 0;
}

TEST_CASE("tensors on a device are taken in the model's dtypes and with strides, and are converted there in the run") {
    for (const DType dtype : {DType::f16, DType::bf16, DType::f64, DType::f32}) {
        CAPTURE(name_of(dtype));
        const Device device(
            (R"({"seq": 1, "inputs": {"x": {"shape": ["N", 3, 4, 5], "dtype": ")" + std::string(name_of(dtype)) +
             R"("}}, "layers": [{"type": "Conv2d", "out_channels": 6, "kernel_size": 3, "name": "y"}]})")
                .c_str());
        Tensor x(dtype, {2, 3, 4, 5});
        convert(filled({2, 3, 4, 5}, 0.3f), x);
        const Tensor expected(dtype, {2, 6, 2, 3});
        Session(device.model).run({{"x", x.view()}}, {{"y", expected.view()}});
        for (const int innermost : {3, 1, 0}) {
            CAPTURE(innermost);
            const OnDevice in = reordered(device, x, innermost);
            const OnDevice out = reordered(device, Tensor(dtype, expected.sizes()), innermost);
            const bool is_aligned_less = dtype == DType::f32 && innermost == 3;
            Session session(device.model);
            for (int run = 0; run < 4; ++run) {
                CAPTURE(run);
                const int copies = copies_in(device.emulated, [&] {
                    session.run({{"x", in.view}}, {{"y", out.view}});
                });
                CHECK(copies == (is_aligned_less ? 2 : 0));
                CHECK(device.emulated.counts().captures == (run == 1 ? 1 : 0));
                CHECK(device.emulated.counts().launches == (run == 0 ? 0 : 1));
                // One that is captured, or launched, hands over nothing else.
                if (run > 1) CHECK(device.emulated.counts().kernels == 0);
                CHECK(are_same(read_reordered(out), expected));
            }
        }
    }
}

Tensor transposed(const Tensor& square) {
    TensorView across = square.view();
    std::swap(across.strides[0], across.strides[1]);
    Tensor turned(square.dtype(), square.sizes());
    copy_elements(across, turned);
    return turned;
}

TEST_CASE("views of one memory with other strides are other tensors, and those of other memory are converted too") {
    const Device device(residual_net);
    Session session(device.model);
    const Tensor x = filled({8, 8}, 0.3f);
    const Tensor turned = transposed(x);
    std::vector<OnDevice> ins;
    for (int run = 0; run < 12; ++run) {
        CAPTURE(run);
        if (run < 1 || run > 8) ins.emplace_back(device.emulated, x);
        const OnDevice out(device.emulated, Tensor(DType::f32, {8, 8}));
        const bool is_turned = run % 2 == 1 || run > 6;
        TensorView in = ins.back().view;
        if (is_turned) std::swap(in.strides[0], in.strides[1]);
        session.run({{"x", in}}, {{"y", out.view}});
        CHECK(relative_difference(read(out), device.expected({{"x", is_turned ? turned : x}}, "y")) <= 1e-5);
    }
}

TEST_CASE("a view with strides may lie where the output does") {
    const Device device(residual_net);
    Session session(device.model);
    const Tensor x = filled({8, 8}, 0.3f);
    const Tensor turned = transposed(x);
    const Tensor straight_y = device.expected({{"x", x}}, "y"), turned_y = device.expected({{"x", turned}}, "y");
    const OnDevice memory(device.emulated, x);
    TensorView other = memory.view;
    std::swap(other.strides[0], other.strides[1]);
    for (const bool input_is_turned : {true, false}) {
        CAPTURE(input_is_turned);
        for (int run = 0; run < 3; ++run) {
            CAPTURE(run);
            device.emulated.write(memory.view.data, x.view().data, x.byte_count());
            session.run({{"x", input_is_turned ? other : memory.view}}, {{"y", input_is_turned ? memory.view : other}});
            Tensor y = read(memory);
            if (!input_is_turned) y = transposed(y);
            CHECK(relative_difference(y, input_is_turned ? turned_y : straight_y) <= 1e-5);
        }
    }
}

}  // namespace
}  // namespace seq::tests
