#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "graph/ops/activation.hpp"
#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/ops/instance_norm.hpp"
#include "graph/ops/layer_norm.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/matmul.hpp"
#include "graph/ops/pool.hpp"
#include "graph/ops/rms_norm.hpp"
#include "kernels/cuda/cudnn/legalise.hpp"
#include "kernels/cuda/cudnn/node_layer.hpp"
#include "tests/cuda/h100.hpp"
#include "tests/cuda/layer_case.hpp"

// What the cuDNN of this machine compiles for an H100 where it finds a driver: tests/cuda/driver_stand_in, which stands
// first among the folders of libraries in ctest's cuda_compiled alone. Whether it runs, and computes what the reference
// does, a GPU tells.
namespace seq::tests {
namespace {

using namespace cuda;

bool can_compile() {
    if (!can_plan()) return false;
    void* const driver = dlopen("libcuda.so.1", RTLD_NOW);
    const bool stands_in = driver != nullptr && dlsym(driver, "seq_driver_stand_in") != nullptr;
    const std::string nvrtc = fmt::format("libnvrtc.so.{}", CUDART_VERSION / 1000);
    const bool compiles = dlopen(nvrtc.c_str(), RTLD_NOW) != nullptr;
    if (!stands_in) MESSAGE("SKIPPED: the driver's stand-in is not first in LD_LIBRARY_PATH");
    if (!compiles) MESSAGE("SKIPPED: there is no ", nvrtc);
    return stands_in && compiles;
}

/// The form of a layer that cuDNN has a plan for, none where it has none, and what it says of one that does more: the
/// beginning of its reason, or of ours to take no engine.
struct Compiled {
    std::string form{};
    std::string refused{}, reason{};
};

const std::string on_tensor_cores = "it uses tensor cores";
const std::string proposes_none = "cuDNN proposes no engine: ";

struct CompiledLayer {
    Op op;
    std::vector<std::vector<std::int64_t>> inputs;
    std::vector<LayerCase::Post> epilogue;
    Compiled in_f32, otherwise;
};

void check_compiled(const FusedLayer& layer, const Compiled& expected) {
    const DeviceProperties properties = h100();
    const PlanTarget target{.properties = &properties, .compiles_without_handle = true};
    const LegalLayer legal = legalise(cudnn(), layer, target, {});
    REQUIRE(legal.form.has_value() == !expected.form.empty());
    REQUIRE(legal.refusals.size() == (expected.refused.empty() ? 0 : 1));
    for (const FormRefusal& refusal : legal.refusals) {
        CAPTURE(refusal.text());
        CHECK(refusal.form == expected.refused);
        CHECK(refusal.reason.starts_with(expected.reason));
    }
    if (!legal.form) return;
    CHECK(legal.form->name == expected.form);
    CHECK(legal.plans[0].compiled);
    CHECK(legal.plans[0].workspace() <= PlanOptions().workspace_cap);
    check_round_trip(legal.plans[0], target);
}

void check_compiled(const std::vector<CompiledLayer>& layers) {
    if (!can_compile()) return;
    for (const CompiledLayer& one : layers) {
        for (const MathMode math : all_math_modes) {
            const LayerCase layer(one.op, one.inputs, one.epilogue);
            std::string reason;
            const auto node = node_layer(layer.request(math), reason);
            REQUIRE_MESSAGE(node, reason);
            // What multiplies nothing is in f32 where tf32 is asked for.
            if (node->layer.math != math) continue;
            CAPTURE(name_of(math));
            CAPTURE(text_of(layer_forms(node->layer).front().graph));
            check_compiled(node->layer, math == MathMode::f32 ? one.in_f32 : one.otherwise);
        }
    }
}

TEST_SUITE_BEGIN("with a driver's stand-in" * doctest::skip());

TEST_CASE("pools are compiled, but in f32 neither those of volumes nor an activation after them") {
    check_compiled(
        {{ops::MaxPool2d{.kernel_size = 3, .stride = 2, .padding = 1},
          {{2, 64, 56, 56}},
          {{ops::ReLU{}}},
          {"max pool", "max pool + relu", on_tensor_cores},
          {"max pool + relu"}},
         {ops::AdaptiveAvgPool2d{.output_size = 1}, {{2, 2048, 7, 7}}, {}, {"average pool"}, {"average pool"}},
         {ops::MaxPool1d{.kernel_size = 2}, {{2, 17, 101}}, {}, {"max pool"}, {"max pool"}},
         {ops::MaxPool3d{.kernel_size = 2}, {{2, 16, 6, 8, 12}}, {}, {"", "max pool", on_tensor_cores}, {"max pool"}}});
}

TEST_CASE("norms are compiled, those of channels with an activation") {
    const ops::LayerNorm rows{.normalized_shape = {768}};
    check_compiled({{rows, {{4, 197, 768}}, {}, {"layer norm"}, {"layer norm"}},
                    {ops::RMSNorm{.normalized_shape = {1024}}, {{32, 1024}}, {}, {"RMS norm"}, {"RMS norm"}},
                    {ops::InstanceNorm2d{.affine = true},
                     {{2, 64, 28, 28}},
                     {{ops::ReLU{}}},
                     {"instance norm + relu"},
                     {"instance norm + relu"}}});
}

TEST_CASE("convolutions and Linear are compiled with activations that no other engines have") {
    ops::Conv2d conv{.in_channels = 64, .out_channels = 64, .kernel_size = 3};
    conv.padding.amounts = 1;
    const std::string swish = "convolution + bias + swish(1)", clip = "convolution + bias + relu + min(6)",
                      product = "linear + bias + gelu";
    check_compiled({{conv, {{2, 64, 28, 28}}, {{ops::SiLU{}}}, {swish}, {swish}},
                    {conv, {{2, 64, 28, 28}}, {{ops::ReLU6{}}}, {clip}, {clip}},
                    {ops::Linear{.in_features = 512, .out_features = 512},
                     {{32, 512}},
                     {{ops::GELU{}}},
                     {"linear as a convolution + bias + gelu", product, on_tensor_cores},
                     {product}}});
}

TEST_CASE("products of two values are compiled, but not in f32") {
    check_compiled({{ops::MatMul{}, {{8, 64, 64}, {8, 64, 64}}, {}, {"", "matmul", on_tensor_cores}, {"matmul"}}});
}

TEST_CASE("an activation after a norm of rows has one engine in f32, which only a GPU can load, and else none") {
    if (!can_compile()) return;
    const DeviceProperties properties = h100();
    const PlanTarget target{.properties = &properties, .compiles_without_handle = true};
    const auto check = [&](const Op& op, const std::string& name) {
        CAPTURE(name);
        const LayerCase layer(op, {{32, 768}}, {{ops::GELU{}}});
        std::string reason;
        FusedLayer fused = node_layer(layer.request(), reason).value().layer;
        const LegalLayer legal = legalise(cudnn(), fused, target, {});
        REQUIRE(legal.form);
        CHECK(legal.form->name == name);
        REQUIRE(legal.refusals.size() == 1);
        CHECK(legal.refusals[0].reason.find("cudaGetDriverEntryPoint") != std::string::npos);
        for (const MathMode math : {MathMode::f16, MathMode::bf16}) {
            fused.math = math;
            check_compiled(fused, {name, name + " + gelu", proposes_none});
        }
    };
    check(ops::LayerNorm{.normalized_shape = {768}}, "layer norm");
    check(ops::RMSNorm{.normalized_shape = {768}}, "RMS norm");
}

TEST_SUITE_END();

}  // namespace
}  // namespace seq::tests
