#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>

#include "engine/plan.hpp"
#include "engine/reference_run.hpp"
#include "graph/convert_tensor.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

const char* const pictures = R"({"seq": 1, "inputs": {"x": ["N", 2, 9, 9]}, "layers": [
    {"type": "Conv2d", "out_channels": 24, "kernel_size": 3, "groups": 2, "padding": 1}, "ReLU",
    {"type": "Conv2d", "name": "y", "out_channels": 20, "kernel_size": 3}]})";

TEST_CASE("a bound run refuses what a run refuses, when it is bound") {
    Session session = build(graph_of(linear)).session();
    Tensor x = filled({2, 6}, 0.1f);
    Tensor y(DType::f32, {2, 3});
    Tensor narrow = filled({2, 5}, 0.1f);
    Tensor large(DType::f32, {3, 3});
    CHECK(code_of([&] { session.bind({}, {{"fc", y}}); }) == "input/missing");
    CHECK(code_of([&] { session.bind({{"z", x}}, {{"fc", y}}); }) == "input/unknown");
    CHECK(code_of([&] { session.bind({{"x", x}, {"x", x}}, {{"fc", y}}); }) == "input/duplicate");
    CHECK(code_of([&] { session.bind({{"x", narrow}}, {{"fc", y}}); }) == "input/shape");
    CHECK(code_of([&] { session.bind({{"x", x}}, {{"y", y}}); }) == "output/unknown");
    CHECK(code_of([&] { session.bind({{"x", x}}, {{"fc", large}}); }) == "output/shape");
    CHECK(code_of([&] { session.bind({{"x", x}}, {{"fc", y}, {"fc", y}}); }) == "output/duplicate");
    session.bind({{"x", x}}, {{"fc", y}}).run();
    CHECK(y.data<float>()[0] != 0);
}

TEST_CASE("a bound run sees new contents and writes the outputs each time, as a run by names does") {
    for (const char* spec : {linear, pictures}) {
        for (const int threads : {1, 2}) {
            CompileOptions options;
            options.threads = threads;
            const Executable executable = build(graph_of(spec), options);
            Session session = executable.session();
            const std::string output = executable.outputs()[0].name;
            std::vector<std::int64_t> sizes{2};
            for (int d = 1; d < executable.inputs()[0].type.shape.rank(); ++d)
                sizes.push_back(executable.inputs()[0].type.shape[d].value());
            Tensor x(DType::f32, sizes);
            const std::vector<NamedTensor> inputs{{"x", x}};
            Tensor y(DType::f32, session.output_sizes(output, inputs));
            Tensor expected(DType::f32, y.sizes());
            BoundRun bound = session.bind({{"x", x}}, {{output, y}});
            for (int i = 0; i < 3; ++i) {
                for (float& value : x.data<float>()) value = 0.1f * static_cast<float>(i + 1);
                for (float& value : y.data<float>()) value = -1;
                bound.run();
                session.run({{"x", x}}, {{output, expected}});
                CHECK(relative_difference(y, expected) == 0);
            }
        }
    }
}

TEST_CASE("bound runs of one session take turns, of the same sizes and of others") {
    Session session = build(graph_of(linear)).session();
    Tensor x = filled({2, 6}, 0.1f), other = filled({2, 6}, 0.4f), longer = filled({5, 6}, 0.2f);
    Tensor a(DType::f32, {2, 3}), b(DType::f32, {2, 3}), c(DType::f32, {5, 3}), expected(DType::f32, {2, 3});
    BoundRun first = session.bind({{"x", x}}, {{"fc", a}});
    BoundRun second = session.bind({{"x", other}}, {{"fc", b}});
    BoundRun third = session.bind({{"x", longer}}, {{"fc", c}});
    for (int i = 0; i < 2; ++i) {
        first.run();
        CHECK(session.plan()->inputs[0].sizes[0] == 2);
        third.run();
        CHECK(session.plan()->inputs[0].sizes[0] == 5);
        second.run();
        session.run({{"x", x}}, {{"fc", expected}});
        CHECK(relative_difference(a, expected) == 0);
        session.run({{"x", other}}, {{"fc", expected}});
        CHECK(relative_difference(b, expected) == 0);
        for (float& value : a.data<float>()) value = 0;
        for (float& value : b.data<float>()) value = 0;
    }
}

TEST_CASE("a bound run copies strided views and those of other types at each run") {
    Session session = build(graph_of(linear)).session();
    Tensor wide(DType::f32, {2, 12}), rows(DType::f32, {2, 8}), x(DType::f32, {2, 6}), expected(DType::f32, {2, 3});
    TensorView strided = x.view();
    strided.data = wide.view().data;
    strided.strides = {12, 2};
    TensorView columns = expected.view();
    columns.data = rows.data<float>().data() + 1;
    columns.strides = {8, 2};
    BoundRun bound = session.bind({{"x", strided}}, {{"fc", columns}});
    for (const float start : {0.1f, 0.7f}) {
        for (std::size_t i = 0; i < 24; ++i) wide.data<float>()[i] = start + static_cast<float>(i) * 0.1f;
        for (std::size_t i = 0; i < 12; ++i) x.data<float>()[i] = wide.data<float>()[i / 6 * 12 + i % 6 * 2];
        bound.run();
        session.run({{"x", x}}, {{"fc", expected}});
        for (std::size_t i = 0; i < 6; ++i)
            CHECK(rows.data<float>()[i / 3 * 8 + 1 + i % 3 * 2] == expected.data<float>()[i]);
    }

    Session wide_session = build(graph_of(R"({"seq": 1, "inputs": {"x": {"shape": ["N", 6], "dtype": "f64"}},
        "layers": [{"type": "Tanh", "name": "t"}]})"))
                               .session();
    Tensor in(DType::f64, {1, 6}), out(DType::f64, {1, 6});
    BoundRun tanh = wide_session.bind({{"x", in}}, {{"t", out}});
    for (const double value : {0.5, -0.25}) {
        for (double& element : in.data<double>()) element = value;
        tanh.run();
        CHECK(out.data<double>()[5] == doctest::Approx(std::tanh(value)).epsilon(1e-6));
    }
}

TEST_CASE("a bound run may write over its input") {
    Session session = build(graph_of(R"({"seq": 1, "inputs": {"x": ["N", 4]}, "layers": [
        {"type": "Tanh", "name": "t"}, {"type": "Add", "name": "sum", "from": ["t", "x"]}]})"))
                          .session();
    Tensor x = filled({3, 4}, 0.3f);
    Tensor expected(DType::f32, {3, 4});
    BoundRun bound = session.bind({{"x", x}}, {{"sum", x}});
    for (int i = 0; i < 2; ++i) {
        session.run({{"x", x}}, {{"sum", expected}});
        bound.run();
        CHECK(relative_difference(x, expected) == 0);
    }
}

TEST_CASE("NaN and Inf that come after binding are seen") {
    Session session = build(graph_of(pictures)).session();
    Tensor x = filled({1, 2, 9, 9}, 0.1f);
    Tensor y(DType::f32, {1, 20, 7, 7});
    BoundRun bound = session.bind({{"x", x}}, {{"y", y}});
    bound.run();
    for (const float value : y.data<float>()) CHECK(std::isfinite(value));
    x.data<float>()[40] = std::numeric_limits<float>::quiet_NaN();
    bound.run();
    CHECK(std::isnan(y.data<float>()[24]));
    x.data<float>()[40] = 0.1f;
    bound.run();
    for (const float value : y.data<float>()) CHECK(std::isfinite(value));
}

TEST_CASE("a bound run outlives what was evicted, its session and its executable") {
    CompileOptions options;
    options.plan_cache_bytes = 1;
    std::optional<Executable> executable = build(graph_of(linear), options);
    std::optional<Session> session = executable->session();
    Tensor x = filled({2, 6}, 0.1f);
    Tensor y(DType::f32, {2, 3}), expected(DType::f32, {2, 3});
    session->run({{"x", x}}, {{"fc", expected}});
    BoundRun bound = session->bind({{"x", x}}, {{"fc", y}});
    for (const std::int64_t n : {1, 3, 4, 2, 5}) {
        Tensor more = filled({n, 6}, 0.2f);
        Tensor results(DType::f32, {n, 3});
        session->run({{"x", more}}, {{"fc", results}});
        for (float& value : y.data<float>()) value = 0;
        bound.run();
        CHECK(relative_difference(y, expected) == 0);
    }
    Session moved = std::move(*session);
    session.reset();
    executable.reset();
    bound.run();
    { const Session last = std::move(moved); }
    for (float& value : y.data<float>()) value = 0;
    bound.run();
    CHECK(relative_difference(y, expected) == 0);
    BoundRun other = std::move(bound);
    CHECK_THROWS_AS(bound.run(), std::logic_error);
    other.run();
}

TEST_CASE("a run by names after one that failed is checked anew") {
    Session session = build(graph_of(linear)).session();
    Tensor x = filled({2, 6}, 0.1f), narrow = filled({2, 5}, 0.1f);
    Tensor y(DType::f32, {2, 3}), expected(DType::f32, {2, 3});
    session.run({{"x", x}}, {{"fc", expected}});
    CHECK(code_of([&] { session.run({{"x", narrow}}, {{"fc", y}}); }) == "input/shape");
    CHECK(code_of([&] { session.run({{"x", x}}, {{"fx", expected}}); }) == "output/unknown");
    CHECK(code_of([&] { session.run({{"z", x}}, {{"fc", expected}}); }) == "input/unknown");
    session.run({{"x", x}}, {{"fc", y}});
    CHECK(relative_difference(y, expected) == 0);
    for (float& value : y.data<float>()) value = 0;
    session.run({{"x", x}}, {});
    session.run({{"x", x}}, {{"fc", y}});
    CHECK(relative_difference(y, expected) == 0);
}

}  // namespace
}  // namespace seq::tests
