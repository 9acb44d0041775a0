#include <doctest/doctest.h>

#include "frontend/parameters.hpp"
#include "tests/frontend/support.hpp"

using namespace seq;
using namespace seq::test;

namespace {

Graph lowered(const std::string& text, const CheckOptions& options = {}) {
    CheckResult result = check(text, options);
    INFO(text);
    for (const Diagnostic& diagnostic : result.diagnostics) INFO(diagnostic.message);
    REQUIRE(result.graph.has_value());
    return std::move(*result.graph);
}

const std::string linear8 = R"({"type": "Linear", "out_features": 8, "name": ")";
std::string fc(const std::string& name) { return linear8 + name + "\"}"; }
std::string act(const std::string& name, const std::string& from) {
    return R"({"type": "ReLU", "name": ")" + name + R"(", "from": )" + from + "}";
}

}  // namespace

TEST_CASE("a layer takes what the one before it gives; the first the first input") {
    const Graph graph = lowered(model(R"("ReLU", "Tanh")", {}, R"({"x": ["N", 8], "y": ["N", 8]})"));
    CHECK(inputs_of(graph, "0") == Brief{"x"});
    CHECK(inputs_of(graph, "1") == Brief{"0"});
    CHECK(graph.output_names() == Brief{"1"});
}

TEST_CASE("names are looked up inside first, then outward, then among the inputs") {
    const Graph graph =
        lowered(model(fc("a") + R"(, {"type": "Sequential", "name": "box", "layers": [)" + fc("a") + ", " +
                          act("b", "\"a\"") + ", " + act("c", "\"outer\"") + ", " + act("d", "\"x\"") +
                          R"(]}, {"type": "Add", "from": ["box", "a", "box.b", "box.c"]})",
                      {}, R"({"x": ["N", 8], "outer": ["N", 8]})"));
    CHECK(inputs_of(graph, "box.b") == Brief{"box.a"});
    CHECK(inputs_of(graph, "box.a") == Brief{"a"});
    CHECK(inputs_of(graph, "box.c") == Brief{"outer"});
    CHECK(inputs_of(graph, "box.d") == Brief{"x"});
    CHECK(inputs_of(graph, "2") == Brief{"box.d", "a", "box.b", "box.c"});
}

TEST_CASE("the first match counts, even where it stands later") {
    const std::string box =
        R"({"type": "Sequential", "name": "box", "layers": [)" + act("first", "\"a\"") + ", " + fc("a") + "]}";
    CHECK(brief(check(model(fc("a") + ", " + box))) == Brief{"graph/forward-reference box.first"});
}

TEST_CASE("$in is the innermost container's input, and $in.1 its second") {
    const Graph graph = lowered(
        model(fc("a") + ", " + fc("b") + R"(, {"type": "Sequential", "name": "box", "from": ["a", "b"], "layers": [
        "ReLU", {"type": "Add", "name": "sum", "from": ["0", "$in", "$in.1"]},
        {"type": "Sequential", "name": "inner", "layers": [{"type": "ReLU", "name": "r", "from": "$in"}]}]})"));
    CHECK(inputs_of(graph, "box.0") == Brief{"a"});
    CHECK(inputs_of(graph, "box.sum") == Brief{"box.0", "a", "b"});
    CHECK(inputs_of(graph, "box.inner.r") == Brief{"box.sum"});
    CHECK(
        brief(check(model(
            R"({"type": "Sequential", "name": "box", "layers": [{"type": "ReLU", "name": "r", "from": "$in.1"}]})"))) ==
        Brief{"graph/unknown-name box.r"});
}

TEST_CASE("paths lead into containers, and to a layer's other outputs") {
    const Graph graph = lowered(model(
        R"({"type": "Sequential", "name": "box", "layers": ["ReLU", {"type": "Split", "name": "s", "sizes": [3, 5]}]},
        {"type": "Tanh", "name": "t", "from": "box.s.1"}, {"type": "Tanh", "name": "u", "from": "box"}, {"type": "Tanh", "name": "v", "from": "box.s.0"},
        {"type": "Concat", "from": ["t", "u", "v", "box.0"]})"));
    CHECK(inputs_of(graph, "t") == Brief{"box.s.1"});
    CHECK(inputs_of(graph, "u") == Brief{"box.s"});
    CHECK(inputs_of(graph, "v") == Brief{"box.s"});
    CHECK(graph.outputs().front()->type.shape[1] == Dim(5 + 3 + 3 + 8));
    CHECK(brief(check(model(
              R"({"type": "Split", "name": "s", "sizes": [3, 5]}, {"type": "ReLU", "name": "r", "from": "s.2"})"))) ==
          Brief{"graph/unknown-name r"});
}

TEST_CASE("a module has parameters of its own for each use, and its names never look outward") {
    const std::string modules = R"("modules": {"block": {"layers": [{"type": "Linear", "name": "fc", "out_features": 8},
        {"type": "Add", "name": "sum", "from": ["fc", "$in"]}]}})";
    const Graph graph = lowered(
        model(R"({"use": "block", "name": "b0"}, {"use": "block", "name": "b1"}, {"type": "ReLU", "from": "b0.fc"},
        {"type": "Add", "from": ["2", "b1"]})",
              modules));
    CHECK(parameter_names(graph) == Brief{"b0.fc.weight", "b0.fc.bias", "b1.fc.weight", "b1.fc.bias"});
    CHECK(inputs_of(graph, "b1.sum") == Brief{"b1.fc", "b0.sum"});
    const std::string outward = R"("modules": {"block": {"layers": [{"type": "ReLU", "name": "r", "from": "x"}]}})";
    CHECK(brief(check(model(R"({"use": "block", "name": "b"})", outward))) == Brief{"graph/unknown-name b.r"});
}

TEST_CASE("a module may use another; a fault in it is one error and is mended in its place") {
    const std::string modules =
        R"("modules": {"outer": {"layers": [{"use": "inner", "name": "i"}, {"use": "inner", "name": "j"}]},
        "inner": {"layers": [{"type": "Linear", "name": "fc", "in_features": 9, "out_features": 8}]}})";
    const CheckResult result = check(model(R"({"use": "outer", "name": "a"}, {"use": "outer", "name": "b"})", modules));
    REQUIRE(brief(result) == Brief{"shape/in-features a.i.fc"});
    REQUIRE(!result.diagnostics[0].fixes.empty());
    CHECK(result.diagnostics[0].fixes[0].patch[0].path == "/modules/inner/layers/0/in_features");
}

TEST_CASE("a module that only one of its uses makes wrong is blamed there, without a certain fix of its fields") {
    const std::string modules =
        R"("modules": {"block": {"layers": [{"type": "Linear", "name": "fc", "in_features": 8, "out_features": 6}]}})";
    const CheckResult result = check(model(R"({"use": "block", "name": "a"}, {"use": "block", "name": "b"})", modules));
    REQUIRE(brief(result) == Brief{"shape/in-features b.fc"});
    for (const Fix& fix : result.diagnostics[0].fixes)
        CHECK((!fix.certain || fix.message.find("out_features") != std::string::npos));
}

TEST_CASE("a shared layer has one set of parameters, under both names") {
    const Graph graph = lowered(
        model(fc("enc") + R"(, "ReLU", {"share": "enc", "name": "again"}, {"share": "again", "name": "third"})"));
    CHECK(parameter_names(graph) == Brief{"enc.weight", "enc.bias"});
    CHECK(inputs_of(graph, "again") == Brief{"1"});
    CHECK(parameter_aliases(graph) == ParameterAliases{{"again.weight", "enc.weight"},
                                                       {"again.bias", "enc.bias"},
                                                       {"third.weight", "enc.weight"},
                                                       {"third.bias", "enc.bias"}});
}

TEST_CASE("a shared container is applied again whole, modules in it too") {
    const std::string modules =
        R"("modules": {"block": {"layers": [{"type": "Linear", "name": "fc", "out_features": 8}]}})";
    const Graph graph = lowered(model(
        R"({"type": "Sequential", "name": "box", "layers": [{"use": "block", "name": "b"}, "ReLU", {"share": "b.fc", "name": "s"}]},
        {"share": "box", "name": "again"}, {"type": "Add", "from": ["again.b", "box.b.fc"]})",
        modules));
    CHECK(parameter_names(graph) == Brief{"box.b.fc.weight", "box.b.fc.bias"});
    CHECK(inputs_of(graph, "again.b.fc") == Brief{"box.s"});
    CHECK(graph.find_value("again.s") != nullptr);
}

TEST_CASE("a fault of a shared layer's second application is the share's") {
    const CheckResult result = check(model(
        R"({"type": "Linear", "name": "enc", "in_features": 8, "out_features": 6}, {"share": "enc", "name": "again"})"));
    CHECK(brief(result) == Brief{"shape/in-features again"});
    // One fault of the layer itself is not repeated.
    const CheckResult both = check(model(
        R"({"type": "Linear", "name": "enc", "in_features": 9, "out_features": 8}, {"share": "enc", "name": "again"})"));
    CHECK(brief(both) == Brief{"shape/in-features enc"});
}

TEST_CASE("shares that double are refused before they grow") {
    std::string layers = R"({"type": "Sequential", "name": "c0", "layers": ["ReLU", "ReLU"]})";
    for (int i = 1; i < 40; ++i) {
        const std::string before = "c" + std::to_string(i - 1);
        layers += R"(, {"type": "Sequential", "name": "c)" + std::to_string(i) + R"(", "layers": [{"share": ")" +
                  before + R"("}, {"share": ")" + before + "\"}]}";
    }
    CHECK(brief(check(model(layers))) == Brief{"spec/limit"});
}

TEST_CASE("shares of empty containers, and of what is inside others, count as much as what they share") {
    std::string empty = R"({"type": "Sequential", "name": "c0", "layers": []})";
    std::string inner =
        R"({"type": "Sequential", "name": "c0", "layers": [{"type": "Sequential", "name": "in", "layers": ["ReLU"]}]})";
    for (int i = 1; i < 60; ++i) {
        const std::string name = "c" + std::to_string(i);
        const std::string before = "c" + std::to_string(i - 1);
        const auto pair = [&](const std::string& target) {
            return R"([{"share": ")" + target + R"(", "name": "a"}, {"share": ")" + target + R"(", "name": "b"}])";
        };
        empty += R"(, {"type": "Sequential", "name": ")" + name + R"(", "layers": )" + pair(before) + "}";
        inner += R"(, {"type": "Sequential", "name": ")" + name +
                 R"(", "layers": [{"type": "Sequential", "name": "in", "layers": )" + pair(before + ".in") + "}]}";
    }
    CHECK(brief(check(model(empty))) == Brief{"spec/limit"});
    CHECK(brief(check(model(inner))) == Brief{"spec/limit"});
}

TEST_CASE("outputs are those listed, by the names listed") {
    const Graph graph = lowered(model(R"({"type": "Sequential", "name": "box", "layers": ["ReLU", "Tanh"]}, "ReLU")",
                                      R"("outputs": ["box", "box.0", "1", "x"])"));
    CHECK(graph.output_names() == Brief{"box", "box.0", "1", "x"});
    CHECK(graph.outputs()[0]->name == "box.1");
    CHECK(brief(check(model("\"ReLU\"", R"("outputs": ["0", "0"])"))) == Brief{"spec/duplicate-name"});
    CHECK(brief(check(model("\"ReLU\"", R"("outputs": ["9"])"))) == Brief{"graph/unknown-name"});
}

TEST_CASE("an empty container hands its input on") {
    const Graph graph = lowered(model(
        R"("ReLU", {"type": "Sequential", "name": "none", "layers": []}, {"type": "Add", "from": ["none", "x"]})"));
    CHECK(inputs_of(graph, "2") == Brief{"0", "x"});
}

TEST_CASE("symbols are bound and shapes replaced as asked, within their ranges") {
    const std::string text =
        model(R"({"type": "Linear", "out_features": 2})", R"("dims": {"N": {"min": 2, "max": 8, "multiple_of": 2}})");
    CheckOptions options;
    options.bindings["N"] = 4;
    CHECK(lowered(text, options).outputs().front()->type.shape == Shape{4, 2});
    options.bindings["N"] = 5;
    CHECK(brief(check(text, options)) == Brief{"shape/symbolic"});
    options.bindings = {{"M", 3}};
    CHECK_THROWS_AS(check(text, options), std::invalid_argument);
    options.bindings.clear();
    options.shapes["x"] = Shape{3, 7};
    CHECK(lowered(text, options).outputs().front()->type.shape == Shape{3, 2});
    options.shapes = {{"z", Shape{1}}};
    CHECK_THROWS_AS(check(text, options), std::invalid_argument);
}

TEST_CASE("what nothing uses is a warning at the end of its branch, and no error") {
    const CheckResult result = check(model(fc("a") + ", " + act("b", "\"a\"") + ", " + act("c", "\"x\"")));
    CHECK(brief(result) == Brief{"graph/unused b"});
    CHECK(result.graph.has_value());
}
