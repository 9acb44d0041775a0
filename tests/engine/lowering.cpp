#include "engine/lowering.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/plan.hpp"
#include "engine/plan_file/plan_file.hpp"
#include "engine/plan_text.hpp"
#include "engine/reference_run.hpp"
#include "kernels/cpu/cpu.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

const char* const convolutions = R"({"seq": 1, "inputs": {"x": ["N", 5, 9, 7]}, "layers": [
    {"type": "Conv2d", "name": "first", "out_channels": 17, "kernel_size": 3, "padding": 1},
    {"type": "ReLU", "name": "relu"},
    {"type": "MaxPool2d", "name": "pool", "kernel_size": 2},
    {"type": "Conv2d", "name": "second", "out_channels": 17, "kernel_size": 1},
    {"type": "Add", "name": "sum", "from": ["second", "pool"]}, "Flatten",
    {"type": "Linear", "name": "fc", "out_features": 10}, {"type": "Softmax", "name": "soft", "dim": 1}]})";

bool has_bf16() { return cpu_backend().lacks(MathMode::bf16).empty(); }

CompileOptions lowered(int threads = 2) {
    CompileOptions options;
    options.dtype = MathMode::bf16;
    options.threads = threads;
    return options;
}

bool multiplies(const Graph& graph) {
    bool found = false;
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next)
        found = found || multiplies_matrices(node->op);
    return found;
}

void check_whole(const Golden& golden, const CompileOptions& options) {
    CAPTURE(golden.name);
    const auto outputs = run(golden, options);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        CAPTURE(outputs[i].name);
        CHECK(outputs[i].tensor.dtype() == golden.outputs[i].tensor.dtype());
        CHECK(relative_distance(outputs[i].tensor, golden.outputs[i].tensor) <= 2e-2);
    }
}

TEST_CASE("bf16: networks agree with PyTorch as a whole, at 1 and 2 threads; what has no product is refused") {
    if (!has_bf16()) return;
    int lowered_networks = 0;
    for (const std::string& name : golden_names()) {
        const Golden golden = load_golden(name);
        for (const int threads : {1, 2}) {
            if (!multiplies(golden.graph)) {
                CHECK_MESSAGE(code_of([&] { run(golden, lowered(threads)); }) == "dtype/unavailable", name);
                continue;
            }
            check_whole(golden, lowered(threads));
            ++lowered_networks;
        }
    }
    CHECK(lowered_networks > 20);
}

TEST_CASE("bf16: what measuring chooses agrees too") {
    if (!has_bf16()) return;
    for (const char* name : {"cifar_cnn", "inception_branches", "residual_block", "varlen_conv1d"}) {
        CompileOptions options = measuring({}, 2);
        options.dtype = MathMode::bf16;
        check_whole(load_golden(name), options);
    }
}

TEST_CASE("bf16: batches of 1 and 5 agree with the reference, and probabilities add up to 1") {
    if (!has_bf16()) return;
    const Graph graph = graph_of(convolutions);
    const Executable f32 = build(graph);
    for (const int threads : {1, 2}) {
        const Executable bf16 = build(graph, lowered(threads));
        CHECK(bf16.options().dtype == MathMode::bf16);
        for (const std::int64_t batch : {1, 5}) {
            const Tensor x = filled({batch, 5, 9, 7}, 0.3f);
            Tensor expected(DType::f32, {batch, 10}), actual(DType::f32, {batch, 10});
            Session(f32.session()).run({{"x", x}}, {{"soft", expected}});
            Session(bf16.session()).run({{"x", x}}, {{"soft", actual}});
            CHECK(relative_distance(actual, expected) <= 2e-2);
            CHECK(relative_distance(actual, expected) > 0);
            for (std::int64_t n = 0; n < batch; ++n) {
                const auto row = actual.data<float>().subspan(static_cast<std::size_t>(n * 10), 10);
                double sum = 0;
                for (const float value : row) sum += value;
                CHECK(std::abs(sum - 1) < 1e-5);
            }
        }
    }
}

TEST_CASE("bf16: the plan shows conversions, and which values are kept as bf16") {
    if (!has_bf16()) return;
    const auto plan = build(graph_of(convolutions), lowered()).plan({{"N", 1}});
    const std::string text = print(*plan);
    CHECK(text.find("// 0: reorder") != std::string::npos);
    CHECK(text.find("bf16) @first") != std::string::npos);
    for (const Step& step : plan->steps) {
        const auto& from = step.kernel->input_layouts;
        const auto& to = step.kernel->output_layouts;
        for (const Node* node : step.nodes) {
            if (multiplies_matrices(node->op)) CHECK(from[0].is_lowered());
            if (node->output()->output_uses > 0) CHECK(!to[0].is_lowered());
        }
    }
}

TEST_CASE("bf16: NaN and Inf among the inputs reach the outputs") {
    if (!has_bf16()) return;
    const char* const chain = R"({"seq": 1, "inputs": {"x": [1, 3, 5, 5]}, "layers": [
        {"type": "Conv2d", "name": "a", "out_channels": 16, "kernel_size": 3, "padding": 1}, "ReLU",
        {"type": "Conv2d", "name": "b", "out_channels": 4, "kernel_size": 1}, {"type": "ReLU", "name": "y"}]})";
    const Executable executable = build(graph_of(chain), lowered());
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
        Tensor x = filled({1, 3, 5, 5}, 0.1f);
        x.data<float>()[0] = bad;
        Tensor y(DType::f32, {1, 4, 5, 5});
        Session(executable.session()).run({{"x", x}}, {{"y", y}});
        CHECK(!std::isfinite(y.data<float>()[0]));
        CHECK(std::isfinite(y.data<float>()[24]));
    }
}

TEST_CASE("bf16: a stored plan says so and gives the same") {
    if (!has_bf16()) return;
    const ScratchFile file("lowered.seqx");
    const Executable executable = build(graph_of(convolutions), lowered());
    SaveOptions save;
    save.bindings = {{{"N", 5}}};
    save_compiled(executable, file.path, save);
    CHECK(describe_compiled(file.path).options.dtype == MathMode::bf16);
    const Executable loaded = load_compiled(file.path);
    CHECK(loaded.options().dtype == MathMode::bf16);
    for (const double difference : replay_test_vectors(loaded)) CHECK(difference == 0);
    CHECK(steps_text(*loaded.plan({{"N", 5}})) == steps_text(*executable.plan({{"N", 5}})));
}

TEST_CASE("bf16: refusals") {
    const Graph graph = graph_of(convolutions);
    if (!has_bf16()) {
        CHECK(code_of([&] { build(graph, lowered()); }) == "dtype/unavailable");
        return;
    }
    CompileOptions strict = lowered();
    strict.numerics = Numerics::strict;
    CHECK(code_of([&] { build(graph, strict); }) == "spec/value");
    CompileOptions f16;
    f16.dtype = MathMode::f16;
    CHECK(code_of([&] { build(graph, f16); }) == "dtype/unavailable");
    const Graph pools =
        graph_of(R"({"seq": 1, "inputs": {"x": [1, 3, 4, 4]}, "layers": [{"type": "MaxPool2d", "kernel_size": 2}]})");
    CHECK(code_of([&] { build(pools, lowered()); }) == "dtype/unavailable");
}

}  // namespace
}  // namespace seq::tests
