#include <doctest/doctest.h>

#include "engine/plan.hpp"
#include "graph/text.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

void run_with(Session& session, std::int64_t n) {
    Tensor x = filled({n, 6}, 0.1f);
    Tensor y(DType::f32, {n, 3});
    session.run({{"x", x}}, {{"fc", y}});
    CHECK(y.data<float>()[0] != 0);
}

TEST_CASE("plans are made once for a binding and dropped when they take more than the budget") {
    const Graph graph = graph_of(linear);
    const Executable executable = build(graph);
    CHECK(executable.plan({{"N", 4}}) == executable.plan({{"N", 4}}));
    CompileOptions tight;
    tight.plan_cache_bytes = 1;
    const Executable small = build(graph, tight);
    const auto first = small.plan({{"N", 4}});
    small.plan({{"N", 5}});
    CHECK(small.plan({{"N", 4}}) != first);
    Session session = small.session();
    for (const std::int64_t n : {1, 2, 1, 2}) run_with(session, n);
}

TEST_CASE("the plan that was not used for longest is dropped first, whoever used the others") {
    const Graph graph = graph_of(linear);
    CompileOptions options;
    options.plan_cache_bytes = build(graph).plan({{"N", 3}})->memory_bytes() * 2;
    const Executable executable = build(graph, options);
    const auto hot = executable.plan({{"N", 1}});
    const auto cold = executable.plan({{"N", 2}});
    SUBCASE("asked for") { executable.plan({{"N", 1}}); }
    SUBCASE("run by a session that has it already") {
        Session session = executable.session();
        run_with(session, 1);
        executable.plan({{"N", 2}});
        run_with(session, 1);
    }
    executable.plan({{"N", 3}});
    CHECK(executable.plan({{"N", 1}}) == hot);
    CHECK(executable.plan({{"N", 2}}) != cold);
}

TEST_CASE("what a text requires is checked when values are bound") {
    const Executable executable = compile(parse_graph(R"(graph (%x: f32[N, 3]) {
  %y = ReLU(%x)
  require N >= 5
  return %y
})"),
                                          {});
    CHECK(code_of([&] { executable.plan({{"N", 1}}); }) == "shape/symbolic");
    CHECK(code_of([&] { executable.plan({{"N", 5}}); }).empty());
}

TEST_CASE("what a layer requires is checked whatever passes make of it") {
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [1, 2, "L"]}, "layers": [
        {"type": "Conv1d", "name": "unused", "out_channels": 2, "kernel_size": 5},
        {"type": "ReLU", "name": "y", "from": "x"}]})");
    for (const char* passes : {"all", "none"}) {
        CAPTURE(passes);
        CompileOptions options;
        options.passes = passes;
        const Executable executable = build(graph, options);
        CHECK(code_of([&] { executable.plan({{"L", 3}}); }).starts_with("shape/"));
        CHECK(code_of([&] { executable.plan({{"L", 5}}); }).empty());
    }
}

TEST_CASE("a size with which a value passes the limits is a fault of the shape, wherever it is met") {
    const Executable executable = build(graph_of(R"({"seq": 1, "inputs": {"x": ["N", 3, 8, 8]}, "layers": [
        {"type": "Conv2d", "out_channels": 4, "kernel_size": 3}, {"type": "BatchNorm2d"}, "ReLU", "Flatten",
        {"type": "Linear", "out_features": 5}]})"));
    for (const std::int64_t n : {std::int64_t{1} << 40, std::int64_t{1} << 60, std::int64_t{9223372036854775807}})
        CHECK(code_of([&] { executable.plan({{"N", n}}); }) == "shape/limit");
}

}  // namespace
}  // namespace seq::tests
