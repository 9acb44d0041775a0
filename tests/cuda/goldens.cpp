#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "engine/compiled_model.hpp"
#include "engine/lowering.hpp"
#include "engine/reference_run.hpp"
#include "engine/session.hpp"
#include "tests/cuda/emulated_cuda.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

/// As far as a whole model's values may be from PyTorch's.
double tolerance(MathMode math) {
    switch (math) {
        case MathMode::f16: return 5e-3;
        case MathMode::bf16: return 4e-2;
        default: return 1e-5;
    }
}

CompileOptions options_for(const Golden& golden, MathMode math) {
    CompileOptions options;
    options.device = Device::cuda();
    options.dtype = math;
    options.weights = golden.weights;
    for (const NamedArray& output : golden.outputs) options.taps.push_back(output.name);
    return options;
}

bool has_products(const Graph& graph) {
    const auto nodes = graph.nodes();
    return std::any_of(nodes.begin(), nodes.end(), [](const Node* node) { return multiplies_matrices(node->op); });
}

/// Runs the golden three times, at once, captured and launched again, and compares. Gives the names of the kernels of
/// its steps.
std::vector<std::string> check(const Golden& golden, MathMode math) {
    const EmulatedCuda device;
    const auto model = std::make_shared<CompiledModel>(golden.graph, options_for(golden, math), device.backend());
    Session session(model);
    std::vector<NamedArray> outputs;
    for (const NamedArray& output : golden.outputs)
        outputs.push_back({output.name, Tensor(output.tensor.dtype(), output.tensor.sizes())});
    for (int run = 0; run < 3; ++run) {
        CAPTURE(run);
        for (NamedArray& output : outputs) std::memset(output.tensor.view().data, 0x7b, output.tensor.byte_count());
        session.run(views(golden.inputs), views(outputs));
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            CAPTURE(outputs[i].name);
            CHECK(relative_distance(outputs[i].tensor, golden.outputs[i].tensor) <= tolerance(math));
        }
    }
    CHECK(device.counts().captures == 1);
    CHECK(device.counts().launches == 2);
    std::vector<std::string> kernels;
    for (const Step& step : session.plan()->steps) kernels.push_back(step.kernel_name);
    return kernels;
}

TEST_CASE("every golden agrees with PyTorch on a GPU's kernels, in every math mode") {
    std::map<std::string, int> steps;
    for (const std::string& name : golden_names()) {
        const Golden golden = load_golden(name);
        for (const MathMode math : all_math_modes) {
            if (kept_in(math) != Kept::own && !has_products(golden.graph)) continue;
            CAPTURE(name);
            CAPTURE(name_of(math));
            for (const std::string& kernel : check(golden, math)) ++steps[kernel];
        }
    }
    for (const char* const kernel : {"cudnn.convolution", "cudnn.conv_transpose", "cudnn.linear"})
        CHECK(steps[kernel] > 0);
    CHECK(steps["emulated.reference"] == 0);
}

TEST_CASE("single layers of every family agree with PyTorch on a GPU's kernels") {
    std::map<std::string, int> steps;
    for (const std::string& family : more_families()) {
        for (const Golden& golden : load_more_goldens(family)) {
            CAPTURE(golden.name);
            for (const std::string& kernel : check(golden, MathMode::f32)) ++steps[kernel];
        }
    }
    CHECK(steps["cudnn.matmul"] > 0);
    CHECK(steps["emulated.reference"] == 0);
}

}  // namespace
}  // namespace seq::tests
