#include <doctest/doctest.h>

#include <algorithm>

#include "engine/lowering.hpp"
#include "engine/reference_run.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"

namespace seq::tests {
namespace {

constexpr const char* names[] = {
    "cifar_cnn",          "residual_block",       "inception_branches", "split_concat",
    "mlp_128_64_10",      "op_convtranspose2d",   "op_conv2d_grouped",  "op_conv2d_depthwise",
    "op_maxpool2d_ceil",  "op_upsample_bilinear", "op_layernorm",       "op_batchnorm3d",
    "op_reflectionpad2d", "op_embedding",         "op_softmax2d",       "varlen_conv1d"};

// Under compute-sanitizer everything takes ten to a hundred times as long.
TEST_CASE("a subset for compute-sanitizer" * doctest::skip()) {
    for (const MathMode math : {MathMode::f32, MathMode::f16}) {
        for (const Backend* backend : {&gpu().backend(), &own_kernels_alone()}) {
            Tally tally(backend == &gpu().backend() ? "subset" : "subset without cuDNN", math,
                        math == MathMode::f32 ? 1e-5 : 5e-3);
            for (const char* const name : names) {
                const Golden golden = load_golden(name);
                const auto nodes = golden.graph.nodes();
                const bool multiplies = std::any_of(nodes.begin(), nodes.end(),
                                                    [](const Node* node) { return multiplies_matrices(node->op); });
                if (math != MathMode::f32 && !multiplies) continue;
                tally.attempt(name, [&] {
                    CompileOptions options;
                    options.weights = golden.weights;
                    for (const NamedArray& output : golden.outputs) options.taps.push_back(output.name);
                    Session session(on_gpu(golden.graph, math, options, *backend));
                    std::vector<NamedArray> outputs = like(golden.outputs);
                    for (int run = 0; run < 2; ++run) session.run(views(golden.inputs), views(outputs));
                    for (std::size_t i = 0; i < outputs.size(); ++i)
                        tally.compare(name, relative_distance(outputs[i].tensor, golden.outputs[i].tensor));
                });
            }
        }
    }
}

}  // namespace
}  // namespace seq::tests
