#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "engine/lowering.hpp"
#include "engine/reference_run.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"

namespace seq::tests {
namespace {

/// As far as a whole model's values may be from PyTorch's.
double tolerance(MathMode math) {
    switch (math) {
        case MathMode::f32: return 1e-5;
        case MathMode::bf16: return 4e-2;
        default: return 5e-3;
    }
}

bool has_products(const Graph& graph) {
    const auto nodes = graph.nodes();
    return std::any_of(nodes.begin(), nodes.end(), [](const Node* node) { return multiplies_matrices(node->op); });
}

/// At once, captured and launched again. Counts the names of the kernels of its steps.
void check(const Golden& golden, MathMode math, Tally& tally, std::map<std::string, int>& steps) {
    CompileOptions options;
    options.weights = golden.weights;
    for (const NamedArray& output : golden.outputs) options.taps.push_back(output.name);
    Session session(on_gpu(golden.graph, math, options));
    std::vector<NamedArray> first;
    for (int run = 0; run < 3; ++run) {
        std::vector<NamedArray> outputs = like(golden.outputs);
        for (NamedArray& output : outputs) std::memset(output.tensor.view().data, 0x7b, output.tensor.byte_count());
        session.run(views(golden.inputs), views(outputs));
        if (run > 0) {
            tally.require(same_bytes(outputs, first), golden.name, "captured it gives other bits than at once");
            continue;
        }
        for (std::size_t i = 0; i < outputs.size(); ++i)
            tally.compare(golden.name, relative_distance(outputs[i].tensor, golden.outputs[i].tensor));
        first = std::move(outputs);
    }
    for (const Step& step : session.plan()->steps) ++steps[step.kernel_name];
}

using Steps = std::map<std::string, int>;

Steps check_goldens(MathMode math) {
    Steps steps;
    Tally tally("goldens", math, tolerance(math));
    for (const std::string& name : golden_names()) {
        const Golden golden = load_golden(name);
        if (kept_in(math) != Kept::own && !has_products(golden.graph)) continue;
        tally.attempt(name, [&] { check(golden, math, tally, steps); });
    }
    return steps;
}

Steps check_layers(MathMode math) {
    Steps steps;
    Tally tally("layers with every option", math, tolerance(math));
    for (const std::string& family : more_families()) {
        for (const Golden& golden : load_more_goldens(family)) {
            if (math != MathMode::f32 && !has_products(golden.graph)) continue;
            tally.attempt(golden.name, [&] { check(golden, math, tally, steps); });
        }
    }
    return steps;
}

// A case for each mode, so that they may run beside each other.
TEST_CASE("every golden agrees with PyTorch on a GPU's kernels in f32") {
    Steps steps = check_goldens(MathMode::f32);
    if (!is_time_left()) return;
    for (const char* const kernel : {"cudnn.convolution", "cudnn.conv_transpose", "cudnn.linear"})
        CHECK_MESSAGE(steps[kernel] > 0, kernel);
    CHECK(steps["emulated.reference"] == 0);
}
TEST_CASE("every golden agrees with PyTorch on a GPU's kernels in tf32") { check_goldens(MathMode::tf32); }
TEST_CASE("every golden agrees with PyTorch on a GPU's kernels in f16") { check_goldens(MathMode::f16); }
TEST_CASE("every golden agrees with PyTorch on a GPU's kernels in bf16") { check_goldens(MathMode::bf16); }

TEST_CASE("single layers of every family agree with PyTorch on a GPU's kernels in f32") {
    Steps steps = check_layers(MathMode::f32);
    if (!is_time_left()) return;
    CHECK(steps["cudnn.matmul"] > 0);
    CHECK(steps["emulated.reference"] == 0);
}
TEST_CASE("single layers of every family agree with PyTorch on a GPU's kernels in tf32") {
    check_layers(MathMode::tf32);
}

}  // namespace
}  // namespace seq::tests
