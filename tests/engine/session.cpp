#include "engine/session.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <stdexcept>
#include <thread>

#include "engine/reference_run.hpp"
#include "graph/convert_tensor.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

TEST_CASE("what does not fit is refused with a code, before anything is read") {
    const Executable executable = build(graph_of(linear));
    Session session = executable.session();
    Tensor x = filled({2, 6}, 0.1f);
    Tensor y(DType::f32, {2, 3});
    Tensor narrow = filled({2, 5}, 0.1f);
    Tensor flat = filled({6}, 0.1f);
    Tensor integers(DType::i64, {2, 6});
    Tensor large(DType::f32, {3, 3});
    TensorView null = x;
    null.data = nullptr;
    TensorView far = x;
    far.device = Device::cuda();
    CHECK(code_of([&] { session.run({}, {{"fc", y}}); }) == "input/missing");
    CHECK(code_of([&] { session.run({{"z", x}}, {{"fc", y}}); }) == "input/unknown");
    CHECK(code_of([&] { session.run({{"x", x}, {"x", x}}, {{"fc", y}}); }) == "input/duplicate");
    CHECK(code_of([&] { session.run({{"x", narrow}}, {{"fc", y}}); }) == "input/shape");
    CHECK(code_of([&] { session.run({{"x", flat}}, {{"fc", y}}); }) == "input/shape");
    CHECK(code_of([&] { session.run({{"x", integers}}, {{"fc", y}}); }) == "input/dtype");
    CHECK(code_of([&] { session.run({{"x", null}}, {{"fc", y}}); }) == "input/null");
    CHECK(code_of([&] { session.run({{"x", far}}, {{"fc", y}}); }) == "input/device");
    CHECK(code_of([&] { session.run({{"x", x}}, {{"y", y}}); }) == "output/unknown");
    CHECK(code_of([&] { session.run({{"x", x}}, {{"fc", large}}); }) == "output/shape");
    CHECK(code_of([&] { session.run({{"x", x}}, {{"fc", integers}}); }) == "output/dtype");
    session.run({{"x", x}}, {{"fc", y}});
}

TEST_CASE("views that lie about themselves are refused") {
    const Executable executable = build(graph_of(linear));
    Session session = executable.session();
    Tensor x = filled({2, 6}, 0.1f);
    Tensor y(DType::f32, {2, 3});
    for (const int rank : {-1, 9, 1000, 1000000000}) {
        CAPTURE(rank);
        TensorView view = x;
        view.rank = rank;
        CHECK(code_of([&] { session.run({{"x", view}}, {{"fc", y}}); }) == "input/shape");
        view = y;
        view.rank = rank;
        CHECK(code_of([&] { session.run({{"x", x}}, {{"fc", view}}); }) == "output/shape");
    }
    TensorView odd = x;
    odd.dtype = static_cast<DType>(200);
    CHECK(code_of([&] { session.run({{"x", odd}}, {{"fc", y}}); }) == "input/dtype");
    for (const std::int64_t n : {std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::max()}) {
        TensorView huge = x;
        huge.shape[0] = n;
        CHECK(code_of([&] { session.run({{"x", huge}}, {{"fc", y}}); }).starts_with("shape/"));
    }
    session.run({{"x", x}}, {{"fc", y}});
}

TEST_CASE("outputs that share memory are refused, columns of one buffer are not") {
    const Executable executable = build(graph_of(R"({"seq": 1, "inputs": {"x": ["N", 4]}, "layers": [
        {"type": "ReLU", "name": "r"}, {"type": "Tanh", "name": "t"}], "outputs": ["r", "t"]})"));
    Session session = executable.session();
    Tensor x = filled({2, 4}, 0.1f);
    Tensor both(DType::f32, {2, 8});
    TensorView left = both;
    left.shape = {2, 4};
    TensorView right = left;
    right.data = left.as<float>() + 4;
    session.run({{"x", x}}, {{"r", left}, {"t", right}});
    CHECK(both.data<float>()[8] == x.data<float>()[4]);
    CHECK(code_of([&] { session.run({{"x", x}}, {{"r", left}, {"t", left}}); }) == "output/overlap");
    Tensor dense(DType::f32, {3, 4});
    TensorView low = dense;
    low.shape = {2, 4};
    TensorView high = low;
    high.data = low.as<float>() + 4;
    CHECK(code_of([&] { session.run({{"x", x}}, {{"r", low}, {"t", high}}); }) == "output/overlap");
    low.strides = {0, 1};
    CHECK(code_of([&] { session.run({{"x", x}}, {{"r", low}}); }) == "output/overlap");
}

TEST_CASE("two inputs must agree about a symbol") {
    const Executable executable = build(graph_of(R"({"seq": 1, "inputs": {"a": ["N", 4], "b": ["N", 4]},
        "layers": [{"type": "Add", "name": "sum", "from": ["a", "b"]}]})"));
    Session session = executable.session();
    Tensor a = filled({2, 4}, 0.1f);
    Tensor b = filled({3, 4}, 0.2f);
    Tensor sum(DType::f32, {2, 4});
    CHECK(code_of([&] { session.run({{"a", a}, {"b", b}}, {{"sum", sum}}); }) == "input/shape");
}

TEST_CASE("strided and unaligned views give what dense ones give") {
    const Executable executable = build(graph_of(linear));
    Session session = executable.session();
    Tensor x = filled({2, 6}, 0.1f);
    Tensor expected(DType::f32, {2, 3});
    session.run({{"x", x}}, {{"fc", expected}});

    Tensor transposed(DType::f32, {6, 2});
    for (std::int64_t i = 0; i < 12; ++i)
        transposed.data<float>()[static_cast<std::size_t>(i % 6 * 2 + i / 6)] =
            x.data<float>()[static_cast<std::size_t>(i)];
    TensorView strided = x.view();
    strided.data = transposed.view().data;
    strided.strides = {1, 2};
    Tensor wide(DType::f32, {2, 8});
    TensorView columns = expected.view();
    columns.data = wide.data<float>().data() + 1;
    columns.strides = {8, 2};
    session.run({{"x", strided}}, {{"fc", columns}});
    for (std::size_t r = 0; r < 2; ++r) {
        for (std::size_t c = 0; c < 3; ++c)
            CHECK(wide.data<float>()[r * 8 + 1 + c * 2] == expected.data<float>()[r * 3 + c]);
    }

    Tensor bytes(DType::u8, {64});
    TensorView unaligned = x.view();
    unaligned.data = bytes.data<std::uint8_t>().data() + 1;
    std::memcpy(unaligned.data, x.view().data, x.byte_count());
    Tensor y(DType::f32, {2, 3});
    session.run({{"x", unaligned}}, {{"fc", y}});
    CHECK(relative_difference(y, expected) == 0);
}

TEST_CASE("the same buffer may be input and output") {
    const Executable executable = build(graph_of(R"({"seq": 1, "inputs": {"x": ["N", 4]}, "layers": [
        {"type": "Tanh", "name": "t"}, {"type": "Add", "name": "sum", "from": ["t", "x"]}]})"));
    Session session = executable.session();
    Tensor x = filled({3, 4}, 0.3f);
    Tensor expected(DType::f32, {3, 4});
    session.run({{"x", x}}, {{"sum", expected}});
    session.run({{"x", x}}, {{"sum", x}});
    CHECK(relative_difference(x, expected) == 0);
}

TEST_CASE("inputs and values that are views of them can be outputs") {
    Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": ["N", 2, 3]}, "layers": [{"type": "Flatten", "name": "f"},
        {"type": "ReLU", "name": "r"}], "outputs": ["f", "r"]})");
    CompileOptions options;
    options.taps = {"x"};
    Session session = build(graph, options).session();
    Tensor x = filled({2, 2, 3}, 0.7f);
    for (std::size_t i = 0; i < 12; i += 2) x.data<float>()[i] *= -1;
    Tensor f(DType::f32, {2, 6});
    Tensor r(DType::f32, {2, 6});
    Tensor copy(DType::f32, {2, 2, 3});
    session.run({{"x", x}}, {{"f", f}, {"r", r}, {"x", copy}});
    CHECK(relative_difference(copy, x) == 0);
    CHECK(std::equal(f.data<float>().begin(), f.data<float>().end(), x.data<float>().begin()));
    for (float& element : f.data<float>()) element = std::max(element, 0.0f);
    CHECK(relative_difference(r, f) == 0);
}

TEST_CASE("taps are named as outputs are: containers, and the first of several outputs") {
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": ["N", 4]}, "layers": [
        {"type": "Sequential", "name": "features", "layers": ["Tanh", {"type": "Sequential", "layers": ["ReLU", "Tanh"]}]},
        {"type": "Split", "name": "s", "sizes": [1, 3]}, {"type": "ReLU", "name": "y", "from": "s.1"}]})");
    Tensor x = filled({2, 4}, 0.1f);
    Tensor inner(DType::f32, {2, 4});
    Tensor outer(DType::f32, {2, 4});
    Tensor first(DType::f32, {2, 1});
    CompileOptions options;
    options.taps = {"features", "features.1.1", "s.0"};
    build(graph, options).session().run({{"x", x}}, {{"features", outer}, {"features.1.1", inner}, {"s.0", first}});
    CHECK(inner.data<float>()[5] == doctest::Approx(std::tanh(std::tanh(x.data<float>()[5]))));
    CHECK(relative_difference(outer, inner) == 0);
    CHECK(first.data<float>()[1] == inner.data<float>()[4]);
    for (const char* name : {"feature", "s.2", "y.0", "features.", ""}) {
        CAPTURE(name);
        options.taps = {name};
        CHECK(code_of([&] { build(graph, options); }) == "graph/unknown-name");
    }
}

TEST_CASE("taps give the values that the passes would fuse away, and unknown ones are refused") {
    Golden golden = load_golden("residual_block");
    CompileOptions options;
    options.weights = golden.weights;
    CHECK(code_of([&] {
              CompileOptions wrong = options;
              wrong.taps = {"nothing"};
              compile(golden.graph, wrong);
          }) == "graph/unknown-name");
    std::map<std::string, TensorView> inputs;
    for (const NamedArray& input : golden.inputs) inputs[input.name] = input.tensor.view();
    std::vector<NodeFault> faults;
    const auto expected = run_reference(golden.graph.bind({{"N", 2}}, faults), golden.weights, inputs);
    options.taps = {"c1", "b1", "r1", "b2", "sum"};
    const Executable executable = compile(golden.graph, options);
    Session session = executable.session();
    std::vector<NamedArray> outputs;
    for (const Port& port : executable.outputs())
        outputs.push_back({port.name, Tensor(port.type.dtype, session.output_sizes(port.name, views(golden.inputs)))});
    CHECK(outputs.size() == 6);
    session.run(views(golden.inputs), views(outputs));
    for (const NamedArray& output : outputs) {
        CAPTURE(output.name);
        CHECK(relative_difference(output.tensor, expected.at(output.name)) < 1e-5);
    }
}

TEST_CASE("the reference gives a value under its own name and under those of the outputs") {
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [3, 8]}, "outputs": ["0.1", "0"],
        "layers": [{"type": "Sequential", "layers": ["ReLU", "GELU"]}]})");
    const Tensor x = filled({3, 8}, 0.4f);
    const auto results = run_reference(graph, nullptr, {{"x", x.view()}});
    CHECK(relative_difference(results.at("0"), results.at("0.1")) == 0);
    CHECK(results.at("0.1").data<float>()[0] > 0);
}

TEST_CASE("sessions run side by side on one executable, each with its own binding") {
    const Golden golden = load_golden("cifar_cnn");
    const TensorView whole = golden.inputs[0].tensor;
    const TensorView expected = golden.outputs[0].tensor;
    CompileOptions options;
    options.weights = golden.weights;
    const Executable executable = compile(golden.graph, options);
    const auto first_of = [](TensorView view, std::int64_t count) {
        view.shape[0] = count;
        return view;
    };
    std::vector<std::thread> threads;
    std::atomic<int> wrong = 0;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            Session session = executable.session();
            for (int i = 0; i < 20; ++i) {
                const std::int64_t count = 1 + (t + i) % whole.shape[0];
                const TensorView part = first_of(expected, count);
                Tensor y(DType::f32, part.sizes());
                session.run({{golden.inputs[0].name, first_of(whole, count)}}, {{golden.outputs[0].name, y}});
                if (relative_difference(y, part) > 1e-4) ++wrong;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(whole.shape[0] > 1);
    CHECK(wrong == 0);
}

TEST_CASE("inputs and outputs keep their dtype") {
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": {"shape": ["N", 6], "dtype": "f64"}},
        "layers": [{"type": "Tanh", "name": "t"}]})");
    const Executable executable = build(graph);
    CHECK(executable.outputs()[0].type.dtype == DType::f64);
    Session session = executable.session();
    Tensor x(DType::f64, {1, 6});
    Tensor y(DType::f64, {1, 6});
    for (double& value : x.data<double>()) value = 0.5;
    session.run({{"x", x}}, {{"t", y}});
    CHECK(y.data<double>()[5] == doctest::Approx(0.46211716).epsilon(1e-6));
}

TEST_CASE("layers with parameters compute in f32 whatever the dtype of the inputs") {
    for (const DType dtype : {DType::f64, DType::f16, DType::bf16}) {
        const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": {"shape": ["N", 2, 6, 6], "dtype": ")" +
                                     std::string(name_of(dtype)) +
                                     R"("}}, "layers": [{"type": "Conv2d", "out_channels": 3, "kernel_size": 3},
            {"type": "BatchNorm2d"}, "ReLU", "Flatten", {"type": "Linear", "name": "y", "out_features": 2}]})");
        Session session = build(graph).session();
        Tensor x(dtype, {2, 2, 6, 6});
        Tensor y(dtype, {2, 2});
        session.run({{"x", x}}, {{"y", y}});
        Tensor wide(DType::f64, {2, 2});
        REQUIRE(convert(y.view(), wide.view()));
        CHECK(wide.data<double>()[0] != 0);
    }
}

TEST_CASE("missing weights are refused when the model is compiled") {
    CHECK(code_of([] { compile(graph_of(linear), {}); }) == "weights/missing");
    CHECK(code_of([] {
              compile(
                  graph_of(R"({"seq": 1, "inputs": {"x": [2, 6]}, "layers": [{"type": "Linear", "out_features": 3}]})"),
                  {});
          }) == "weights/missing");
}

/// Tensors of zeros.
class Zeros final : public WeightSource {
   public:
    explicit Zeros(std::vector<Entry> entries) : entries_(std::move(entries)) {}
    const std::vector<Entry>& entries() const override { return entries_; }
    const Entry* find(std::string_view name) const override {
        const auto found =
            std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == name; });
        return found == entries_.end() ? nullptr : &*found;
    }
    void read(const Entry&, std::span<std::byte> out) const override {
        std::fill(out.begin(), out.end(), std::byte{0});
    }
    std::string description() const override { return "zeros"; }

   private:
    std::vector<Entry> entries_;
};

std::vector<std::string> weight_problems(const Graph& graph, std::vector<WeightSource::Entry> entries) {
    std::vector<std::string> problems;
    try {
        compile(graph, {.device = Device::cpu(), .weights = std::make_shared<Zeros>(std::move(entries))});
    } catch (const BuildError& error) {
        for (const Diagnostic& diagnostic : error.diagnostics())
            problems.push_back(diagnostic.code + " " + diagnostic.message);
    }
    return problems;
}

TEST_CASE("weights that lack, do not fit or are not used are refused in one go") {
    const Graph graph = graph_of(linear);
    using Problems = std::vector<std::string>;
    CHECK(weight_problems(graph, {{"fc.weight", DType::f32, {3, 6}}, {"fc.bias", DType::f32, {3}}}).empty());
    CHECK(weight_problems(graph, {{"fc.weight", DType::f32, {6, 3}},
                                  {"fc.bias", DType::f32, {3}},
                                  {"fc.num_batches_tracked", DType::i64, {}},
                                  {"more", DType::f32, {1}}}) ==
          Problems{"weights/shape `fc.weight` is [3, 6] in the model and [6, 3] in zeros",
                   "weights/unexpected zeros has `more`, which nothing uses"});
    CHECK(weight_problems(graph, {{"head.weight", DType::f32, {3, 6}}, {"head.bias", DType::f32, {4}}}) ==
          Problems{"weights/missing `fc.weight` [3, 6] is not in zeros (did you mean its `head.weight`?)",
                   "weights/missing `fc.bias` [3] is not in zeros",
                   "weights/unexpected zeros has `head.bias`, which nothing uses"});
    const Graph shared = graph_of(R"({"seq": 1, "inputs": {"x": ["N", 3]}, "layers": [
        {"type": "Linear", "name": "fc", "out_features": 3}, {"share": "fc", "name": "again"}]})");
    CHECK(weight_problems(shared, {{"fc.weight", DType::f32, {3, 3}},
                                   {"fc.bias", DType::f32, {3}},
                                   {"again.weight", DType::f32, {3, 3}},
                                   {"again.bias", DType::f32, {3}}})
              .empty());
}

TEST_CASE("what was moved from is empty, and says so") {
    Tensor x = filled({2, 6}, 0.1f);
    const Tensor taken = std::move(x);
    CHECK(x.view().data == nullptr);
    CHECK(x.element_count() == 0);
    CHECK(x.data<float>().empty());
    CHECK(taken.element_count() == 12);
    x = filled({1, 6}, 0.1f);
    CHECK(x.element_count() == 6);

    Executable executable = build(graph_of(linear));
    Session session = executable.session();
    Session other = std::move(session);
    const Executable kept = std::move(executable);
    CHECK_THROWS_AS((void)executable.session(), std::logic_error);
    CHECK_THROWS_AS((void)executable.inputs(), std::logic_error);
    CHECK_THROWS_AS(session.run({}, {}), std::logic_error);
    Tensor y(DType::f32, {1, 3});
    other.run({{"x", x}}, {{"fc", y}});
}

TEST_CASE("threads are those that there are") {
    CompileOptions options;
    options.threads = 100000;
    const int most = build(graph_of(linear)).options().threads;
    CHECK(build(graph_of(linear), options).options().threads == most);
    options.threads = -3;
    CHECK(code_of([&] { build(graph_of(linear), options); }) == "spec/value");
}

TEST_CASE("what this build cannot do is refused as unavailable") {
    CompileOptions second;
    second.device.index = 7;
    CHECK(code_of([&] { build(graph_of(linear), second); }) == "device/unavailable");
    CompileOptions cuda;
    cuda.device = Device::cuda();
    CHECK(code_of([&] { build(graph_of(linear), cuda); }) == "device/unavailable");
}

}  // namespace
}  // namespace seq::tests
