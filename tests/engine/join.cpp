#include <doctest/doctest.h>
#include <fmt/format.h>

#include <optional>

#include "engine/plan.hpp"
#include "engine/reference_run.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

/// Runs a model of one input x, compares its outputs with the reference's, and gives how many joins take no step.
int joins_of_agreeing_run(const std::string& layers, const std::string& outputs, std::int64_t channels,
                          std::int64_t side) {
    const std::string spec =
        fmt::format(R"({{"seq": 1, "inputs": {{"x": [1, {}, {}, {}]}}, "layers": [{}], "outputs": [{}]}})", channels,
                    side, side, layers, outputs);
    const Graph graph = graph_of(spec);
    Tensor x = filled({1, channels, side, side}, 0.2f);
    const ReferenceResults expected = run_reference(graph, nullptr, {{"x", x.view()}});
    std::optional<int> joins;
    for (const char* passes : {"all", "none"}) {
        CAPTURE(passes);
        CompileOptions options;
        options.passes = passes;
        const Executable executable = build(graph, options);
        Session session = executable.session();
        std::vector<Tensor> results;
        results.reserve(executable.outputs().size());
        std::vector<NamedTensor> views;
        for (const Port& port : executable.outputs())
            views.emplace_back(port.name, results.emplace_back(DType::f32, *port.type.shape.sizes()).view());
        for (int run = 0; run < 2; ++run) session.run(std::vector<NamedTensor>{{"x", x}}, views);
        for (std::size_t i = 0; i < results.size(); ++i)
            CHECK(relative_difference(results[i], expected.at(executable.outputs()[i].name)) <= 1e-5);
        if (!joins) joins = static_cast<int>(executable.plan()->joined.size());
    }
    return *joins;
}

std::string layer(const std::string& type, const std::string& name, const std::string& from) {
    return fmt::format(R"({{"type": "{}", "name": "{}", "from": "{}"}})", type, name, from);
}

TEST_CASE("layers write side by side what is joined") {
    const std::string relu = R"(, {"type": "ReLU", "name": "r", "from": "j"})";
    const std::string branches =
        layer("Tanh", "a", "x") + "," + layer("Sigmoid", "b", "x") + "," + layer("Softsign", "c", "b");
    const std::string join = R"(, {"type": "Concat", "name": "j", "from": ["a", "b", "c"]})";
    CHECK(joins_of_agreeing_run(branches + join + relu, "\"r\"", 16, 8) == 1);
    // What is joined is used beside, twice, or is the model's input or output.
    CHECK(joins_of_agreeing_run(branches + join + R"(, {"type": "Add", "name": "s", "from": ["a", "c"]})" + relu,
                                "\"r\", \"s\"", 16, 8) == 1);
    CHECK(joins_of_agreeing_run(branches + R"(, {"type": "Concat", "name": "j", "from": ["a", "b", "a"]})" + relu,
                                "\"r\"", 16, 8) == 1);
    CHECK(joins_of_agreeing_run(branches + R"(, {"type": "Concat", "name": "j", "from": ["a", "x", "b"]})" + relu,
                                "\"r\"", 16, 8) == 1);
    CHECK(joins_of_agreeing_run(branches + join + relu, "\"r\", \"a\", \"j\"", 16, 8) == 0);
    CHECK(joins_of_agreeing_run(branches + join + relu, "\"r\", \"b\"", 16, 8) == 1);
}

TEST_CASE("a join whose values a kernel overwrites where the output is does not lose where its parts lie") {
    for (const std::string type : {"ReLU", "GELU", "Sigmoid", "Identity", "Hardswish", "Tanh"}) {
        CAPTURE(type);
        const std::string branches = layer("Tanh", "a", "x") + "," + layer("Sigmoid", "b", "x");
        const std::string join = R"(, {"type": "Concat", "name": "j", "from": ["a", "b"]}, )";
        joins_of_agreeing_run(branches + join + layer(type, "r", "j"), "\"r\"", 16, 8);
        const std::string pools = R"({"type": "MaxPool2d", "kernel_size": 2, "name": "a", "from": "x"},
                                     {"type": "AvgPool2d", "kernel_size": 2, "name": "b", "from": "x"})";
        joins_of_agreeing_run(pools + join + layer(type, "r", "j"), "\"r\"", 16, 8);
    }
}

TEST_CASE("joins of joins lie in one buffer, each where it can") {
    const std::string start =
        layer("Tanh", "a", "x") + "," + layer("Sigmoid", "b", "x") + "," + layer("Softsign", "c", "x") + ",";
    const std::string nested = R"({"type": "Concat", "name": "j", "from": ["a", "b"]},
                                  {"type": "Concat", "name": "k", "from": ["a", "b", "c"]},
                                  {"type": "Concat", "name": "l", "from": ["k", "j"]},
                                  {"type": "Concat", "name": "m", "from": ["c", "a"]},)";
    const std::string ends = layer("Tanh", "p", "l") + "," + layer("Tanh", "q", "m") + "," + layer("Tanh", "r", "j");
    CHECK(joins_of_agreeing_run(start + nested + ends, "\"p\", \"q\", \"r\"", 16, 8) == 4);
}

TEST_CASE("parts that would not be aligned are copied by a kernel") {
    const std::string branches = layer("Tanh", "a", "x") + "," + layer("Sigmoid", "b", "x");
    joins_of_agreeing_run(
        branches + R"(, {"type": "Concat", "name": "j", "from": ["a", "b"]}, {"type": "ReLU", "name": "r"})", "\"r\"",
        3, 9);
}

}  // namespace
}  // namespace seq::tests
