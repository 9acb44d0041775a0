#include <doctest/doctest.h>

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
            Tally tally(backend == &gpu().backend() ? "subset" : "subset without cuDNN", math, agreement(math));
            for (const char* const name : names) {
                const Golden golden = load_golden(name);
                if (math != MathMode::f32 && !has_products(golden.graph)) continue;
                tally.attempt(name, [&] {
                    Session session = session_of(golden, math, *backend);
                    run(session, golden);
                    const std::vector<NamedArray> outputs = run(session, golden);
                    for (std::size_t i = 0; i < outputs.size(); ++i)
                        tally.compare(name, relative_distance(outputs[i].tensor, golden.outputs[i].tensor));
                });
            }
        }
    }
}

}  // namespace
}  // namespace seq::tests
