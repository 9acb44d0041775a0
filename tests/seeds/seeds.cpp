// The networks that seq was begun for: each builds and runs, in C++ and in JSON, to the same numbers.
#include <doctest/doctest.h>

#include <seq/seq.hpp>

#include <algorithm>
#include <string>

#include "engine/reference_run.hpp"
#include "frontend/check.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"

namespace nn = seq::nn;

namespace {

seq::Tensor ramp(std::initializer_list<std::int64_t> sizes) {
    seq::Tensor tensor(seq::DType::f32, sizes);
    std::int64_t i = 0;
    for (float& value : tensor.data<float>()) value = static_cast<float>(i++ % 17) / 8.0f - 1.0f;
    return tensor;
}

seq::Tensor run(const seq::Graph& graph, const seq::Tensor& x) {
    seq::CompileOptions options;
    options.weights = seq::random_weights(seq::needed_parameters(graph), 3);
    const seq::Executable executable = seq::compile(graph, options);
    seq::Session session = executable.session();
    const std::string output = executable.outputs().front().name;
    const seq::NamedTensor input{executable.inputs().front().name, x.view()};
    seq::Tensor y(seq::DType::f32, session.output_sizes(output, {&input, 1}));
    session.run({input}, {{output, y}});
    return y;
}

seq::Graph from_json(const std::string& spec) {
    seq::CheckResult result = seq::check_text(spec, "seed.json");
    REQUIRE_MESSAGE(!result.has_error(), seq::build_error(result).what());
    return std::move(*result.graph);
}

/// Both definitions give these sizes, and the same numbers.
void check_same(const seq::Graph& from_cpp, const std::string& spec, const seq::Tensor& x,
                std::vector<std::int64_t> sizes) {
    const seq::Tensor a = run(from_cpp, x);
    const seq::Tensor b = run(from_json(spec), x);
    CHECK(std::vector<std::int64_t>(a.sizes().begin(), a.sizes().end()) == sizes);
    CHECK(seq::relative_difference(a, b) == 0);
    const auto values = a.data<float>();
    CHECK(std::any_of(values.begin(), values.end(), [](float v) { return v != 0; }));
}

bool mentions(const std::vector<seq::Diagnostic>& diagnostics, const std::string& code,
              const std::vector<std::string>& words) {
    return std::any_of(diagnostics.begin(), diagnostics.end(), [&](const seq::Diagnostic& d) {
        std::string text = d.message + " " + d.condition;
        for (const std::string& note : d.notes) text += " " + note;
        return d.code == code && std::all_of(words.begin(), words.end(), [&](const std::string& word) {
                   return text.find(word) != std::string::npos;
               });
    });
}

TEST_CASE("Linear 10-50-2 on a batch of 32") {
    const nn::Sequential net{nn::Linear{{.in_features = 10, .out_features = 50}}, nn::ReLU{},
                             nn::Linear{{.in_features = 50, .out_features = 2}}};
    check_same(net.lower({{"x", {32, 10}}}), R"({"seq": 1, "inputs": {"x": [32, 10]}, "layers": [
        {"type": "Linear", "in_features": 10, "out_features": 50}, "ReLU", {"type": "Linear", "in_features": 50, "out_features": 2}]})",
               ramp({32, 10}), {32, 2});
}

TEST_CASE("two convolutions by position and by name give the same") {
    const nn::Sequential by_position{nn::Conv2d{{.in_channels = 1, .out_channels = 20, .kernel_size = 5}}, nn::ReLU{},
                                     nn::Conv2d{{.in_channels = 20, .out_channels = 64, .kernel_size = 5}}, nn::ReLU{}};
    const nn::Sequential by_name{{"0", nn::Conv2d{{.in_channels = 1, .out_channels = 20, .kernel_size = 5}}},
                                 {"1", nn::ReLU{}},
                                 {"2", nn::Conv2d{{.in_channels = 20, .out_channels = 64, .kernel_size = 5}}},
                                 {"3", nn::ReLU{}}};
    const seq::Tensor x = ramp({2, 1, 28, 28});
    const seq::Graph named = by_name.lower({{"x", {"N", 1, 28, 28}}});
    CHECK(seq::relative_difference(run(named, x), run(by_position.lower({{"x", {"N", 1, 28, 28}}}), x)) == 0);
    check_same(named, R"({"seq": 1, "inputs": {"x": ["N", 1, 28, 28]}, "layers": [
        {"type": "Conv2d", "in_channels": 1, "out_channels": 20, "kernel_size": 5}, "ReLU",
        {"type": "Conv2d", "in_channels": 20, "out_channels": 64, "kernel_size": 5}, "ReLU"]})",
               x, {2, 64, 20, 20});
}

TEST_CASE("the CIFAR net, its in_features inferred") {
    nn::Sequential net{{"conv1", nn::Conv2d{{.in_channels = 3, .out_channels = 16, .kernel_size = 3, .padding = 1}}},
                       {"relu1", nn::ReLU{}},
                       {"pool1", nn::MaxPool2d{{.kernel_size = 2}}},
                       {"conv2", nn::Conv2d{{.in_channels = 16, .out_channels = 32, .kernel_size = 3, .padding = 1}}},
                       {"relu2", nn::ReLU{}},
                       {"pool2", nn::MaxPool2d{{.kernel_size = 2}}}};
    net.append("flatten", nn::Flatten{});
    net.append("fc1", nn::Linear{{.out_features = 128}});
    net.append("relu3", nn::ReLU{});
    net.append("fc2", nn::Linear{{.out_features = 10}});
    const seq::Graph graph = net.lower({{"x", {"N", 3, 32, 32}}});
    CHECK(graph.find_value("fc1.weight")->type.shape.to_string() == "[128, 2048]");
    check_same(graph, R"({"seq": 1, "inputs": {"x": ["N", 3, 32, 32]}, "layers": [
        {"type": "Conv2d", "name": "conv1", "out_channels": 16, "kernel_size": 3, "padding": 1}, {"type": "ReLU", "name": "relu1"},
        {"type": "MaxPool2d", "name": "pool1", "kernel_size": 2},
        {"type": "Conv2d", "name": "conv2", "out_channels": 32, "kernel_size": 3, "padding": 1}, {"type": "ReLU", "name": "relu2"},
        {"type": "MaxPool2d", "name": "pool2", "kernel_size": 2}, {"type": "Flatten", "name": "flatten"},
        {"type": "Linear", "name": "fc1", "out_features": 128}, {"type": "ReLU", "name": "relu3"},
        {"type": "Linear", "name": "fc2", "out_features": 10}]})",
               ramp({4, 3, 32, 32}), {4, 10});
}

TEST_CASE("Linear 128-64-10 on 32 rows") {
    const nn::Sequential net{nn::Linear{{.in_features = 128, .out_features = 64}}, nn::ReLU{},
                             nn::Linear{{.in_features = 64, .out_features = 10}}};
    check_same(net.lower({{"x", {"N", 128}}}), R"({"seq": 1, "inputs": {"x": ["N", 128]}, "layers": [
        {"type": "Linear", "out_features": 64}, "ReLU", {"type": "Linear", "out_features": 10}]})",
               ramp({32, 128}), {32, 10});
}

nn::Sequential three_sequentials(std::int64_t features) {
    return nn::Sequential{
        {"layer1", nn::Sequential{nn::Conv2d{{.in_channels = 3, .out_channels = 64, .kernel_size = 3}},
                                  nn::ReLU{{.inplace = true}}, nn::MaxPool2d{{.kernel_size = 2}}}},
        {"layer2", nn::Sequential{nn::Conv2d{{.in_channels = 64, .out_channels = 30, .kernel_size = 5}},
                                  nn::ReLU{{.inplace = true}}, nn::MaxPool2d{{.kernel_size = 2}}}},
        {"flatten", nn::Flatten{}},
        {"layer3", nn::Sequential{nn::Linear{{.in_features = features, .out_features = 10}}, nn::ReLU{}}}};
}

TEST_CASE("three named Sequentials: the 750 features fit pictures of 30 to 33, which the tool says") {
    const nn::Sequential net = three_sequentials(750);
    CHECK(mentions(net.check({{"x", {"N", 3, "H", "H"}}}), "shape/symbolic", {"30", "33"}));
    for (const std::int64_t size : {30, 33}) CHECK(net.check({{"x", {1, 3, size, size}}}).empty());
    for (const std::int64_t size : {29, 34})
        CHECK(mentions(net.check({{"x", {1, 3, size, size}}}), "shape/in-features", {"750"}));

    const std::string spec = R"({"seq": 1, "inputs": {"x": ["N", 3, "H", "H"]}, "layers": [
        {"type": "Sequential", "name": "layer1", "layers": [{"type": "Conv2d", "in_channels": 3, "out_channels": 64, "kernel_size": 3}, "ReLU", {"type": "MaxPool2d", "kernel_size": 2}]},
        {"type": "Sequential", "name": "layer2", "layers": [{"type": "Conv2d", "in_channels": 64, "out_channels": 30, "kernel_size": 5}, "ReLU", {"type": "MaxPool2d", "kernel_size": 2}]},
        {"type": "Flatten", "name": "flatten"},
        {"type": "Sequential", "name": "layer3", "layers": [{"type": "Linear", "in_features": 750, "out_features": 10}, "ReLU"]}]})";
    const auto checked = seq::check_text(spec, "three.json");
    REQUIRE(checked.diagnostics.size() == 1);
    CHECK(checked.diagnostics[0].severity == seq::Severity::warning);
    CHECK(checked.diagnostics[0].valid.at("H") == std::vector<seq::Interval>{{30, 33, 1}});
    for (const std::int64_t size : {30, 31, 32, 33})
        check_same(net.lower({{"x", {"N", 3, "H", "H"}}}), spec, ramp({2, 3, size, size}), {2, 10});
    CHECK_THROWS_AS(run(from_json(spec), ramp({2, 3, 34, 34})), seq::Error);
}

TEST_CASE("Conv1d with Linear(400): only L = 27 works, 28 gives 416 and 50 gives 768") {
    const nn::Sequential net{nn::Conv1d{{.in_channels = 1, .out_channels = 16, .kernel_size = 3}}, nn::Flatten{},
                             nn::Linear{{.in_features = 400, .out_features = 10}}};
    const auto diagnostics = net.check({{"x", {"N", 1, "L"}}});
    CHECK(mentions(diagnostics, "shape/symbolic", {"27", "28", "416"}));
    REQUIRE(diagnostics.size() == 1);
    CHECK(diagnostics[0].severity == seq::Severity::error);
    CHECK(diagnostics[0].valid.at("L") == std::vector<seq::Interval>{{27, 27, 1}});
    CHECK(net.check({{"x", {"N", 1, 27}}}).empty());
    CHECK(mentions(net.check({{"x", {"N", 1, 28}}}), "shape/in-features", {"400", "416"}));
    CHECK(mentions(net.check({{"x", {"N", 1, 50}}}), "shape/in-features", {"400", "768"}));
    check_same(net.lower({{"x", {"N", 1, 27}}}), R"({"seq": 1, "inputs": {"x": ["N", 1, 27]}, "layers": [
        {"type": "Conv1d", "in_channels": 1, "out_channels": 16, "kernel_size": 3}, "Flatten",
        {"type": "Linear", "in_features": 400, "out_features": 10}]})",
               ramp({3, 1, 27}), {3, 10});
}

TEST_CASE("a Linear after a convolution without Flatten: the Flatten is offered") {
    const nn::Sequential net{nn::Conv2d{{.in_channels = 3, .out_channels = 8, .kernel_size = 3}},
                             nn::Linear{{.in_features = 8 * 30 * 30, .out_features = 10}}};
    const auto diagnostics = net.check({{"x", {"N", 3, 32, 32}}});
    REQUIRE(diagnostics.size() == 1);
    CHECK(diagnostics[0].code == "shape/in-features");
    CHECK(diagnostics[0].where.line > 0);
    REQUIRE_FALSE(diagnostics[0].fixes.empty());
    CHECK(diagnostics[0].fixes[0].certain);
    CHECK(diagnostics[0].fixes[0].message.find("Flatten") != std::string::npos);
}

}  // namespace
