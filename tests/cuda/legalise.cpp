#include "kernels/cuda/cudnn/legalise.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/cuda/fake_cudnn.hpp"

namespace seq::tests {
namespace {

using namespace cuda;

FusedLayer some_layer() {
    FusedLayer layer;
    layer.math = MathMode::f16;
    layer.batch = 2;
    layer.in_channels = 16;
    layer.out_channels = 24;
    layer.spatial = {10, 12};
    layer.windows = {{.kernel = 3, .stride = 2, .pad_before = 1, .pad_after = 0}, {.kernel = 5, .dilation = 2}};
    layer.bias = true;
    layer.residual = ResidualPlace::before_activation;
    layer.activation = PointwiseFunction::relu();
    return layer;
}

LegalLayer legalised(FakeCudnn& fake, const FusedLayer& layer, const PlanOptions& options = {}) {
    const auto properties = DeviceProperties::from_json(fake.table, R"({"deviceName": "a GPU"})");
    return legalise(fake.table, layer, {&properties}, options);
}

using Graphs = std::vector<std::string>;

TEST_CASE("a convolution is followed by the residual, the bias and the activation, in the type of the input") {
    FakeCudnn fake;
    const LegalLayer legal = legalised(fake, some_layer());
    REQUIRE(legal.form);
    CHECK(fake.graphs == Graphs{"conv residual bias relu"});
    CHECK(legal.form->name == "convolution + residual + bias + relu");
    CHECK(legal.refusals.empty());
    const GraphSpec& graph = legal.form->graph;
    CHECK(graph.tensor(output_tensor)->sizes == std::vector<std::int64_t>{2, 24, 5, 4});
    CHECK(graph.tensor(output_tensor)->strides == std::vector<std::int64_t>{480, 1, 96, 24});
    CHECK(graph.tensor(weight_tensor)->sizes == std::vector<std::int64_t>{24, 16, 3, 5});
    for (const TensorSpec& tensor : graph.tensors)
        CHECK(tensor.type == (tensor.is_virtual ? CUDNN_DATA_FLOAT : CUDNN_DATA_HALF));
}

TEST_CASE("each step that is refused leaves more to other kernels and says why") {
    const Graphs forms{"conv residual bias relu", "conv residual bias", "conv bias", "conv"};
    for (std::size_t refused = 0; refused <= forms.size(); ++refused) {
        CAPTURE(refused);
        FakeCudnn fake;
        fake.error_text = "no such engine";
        fake.on_finalize = [&](const FakeDescriptor& descriptor) {
            if (descriptor.type != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) return CUDNN_STATUS_SUCCESS;
            const auto form = std::find(forms.begin(), forms.end(), operations_of_plan(descriptor));
            return form - forms.begin() < static_cast<std::ptrdiff_t>(refused) ? CUDNN_STATUS_NOT_SUPPORTED
                                                                               : CUDNN_STATUS_SUCCESS;
        };
        const LegalLayer legal = legalised(fake, some_layer());
        CHECK(legal.refusals.size() == refused);
        CHECK(legal.form.has_value() == (refused < forms.size()));
        CHECK(fake.graphs ==
              Graphs(forms.begin(), forms.begin() + static_cast<std::ptrdiff_t>(std::min(refused + 1, forms.size()))));
        if (refused > 0)
            CHECK(legal.refusals[0].text() ==
                  "convolution + residual + bias + relu: finalising a plan: CUDNN_STATUS_NOT_SUPPORTED (3000): no such "
                  "engine (of 1 engine configuration)");
        if (!legal.form) continue;
        CHECK(legal.form->activation == (refused == 0));
        CHECK(legal.form->residual == (refused < 2));
        CHECK(legal.form->bias == (refused < 3));
    }
}

TEST_CASE("a graph that is refused as a whole is a step as well") {
    FakeCudnn fake;
    fake.on_finalize = [](const FakeDescriptor& descriptor) {
        const bool whole =
            descriptor.type == CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR && operations_of(descriptor).ends_with("relu");
        return whole ? CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN : CUDNN_STATUS_SUCCESS;
    };
    const LegalLayer legal = legalised(fake, some_layer());
    CHECK(legal.refusals.size() == 1);
    CHECK(legal.form->name == "convolution + residual + bias");
}

TEST_CASE("a residual after the activation stays there, and a missing bias is one of zeros") {
    FusedLayer layer = some_layer();
    layer.residual = ResidualPlace::after_activation;
    layer.bias = false;
    const auto forms = layer_forms(layer);
    REQUIRE(forms.size() == 3);
    CHECK(forms[0].name == "convolution + zero bias + relu + residual");
    CHECK(forms[1].name == "convolution + zero bias + relu");
    CHECK(forms[2].name == "convolution");
    CHECK(forms[0].zero_bias);
    CHECK_FALSE(forms[2].zero_bias);
}

TEST_CASE("Linear is a product of matrices, or else a convolution") {
    FusedLayer layer{.kind = LayerKind::linear, .batch = 5, .in_channels = 7, .out_channels = 9, .bias = true};
    const auto forms = layer_forms(layer);
    REQUIRE(forms.size() == 4);
    CHECK(forms[0].name == "linear + bias");
    CHECK(forms[1].name == "linear as a convolution + bias");
    CHECK(forms[0].graph.tensor(weight_tensor)->strides == std::vector<std::int64_t>{63, 1, 7});
    CHECK(forms[0].graph.tensor(bias_tensor)->sizes == std::vector<std::int64_t>{1, 1, 9});
    CHECK(forms[1].graph.tensor(output_tensor)->sizes == std::vector<std::int64_t>{5, 9, 1, 1});
}

TEST_CASE("transposed convolutions, convolutions over a length and volumes, groups") {
    FusedLayer layer{.kind = LayerKind::transposed_convolution, .batch = 3, .in_channels = 4, .out_channels = 6};
    layer.groups = 2;
    layer.spatial = {7};
    layer.windows = {{.kernel = 3, .stride = 2, .pad_before = 1, .pad_after = 1, .output_padding = 1}};
    const GraphSpec length = layer_forms(layer).front().graph;
    CHECK(length.tensor(weight_tensor)->sizes == std::vector<std::int64_t>{4, 3, 1, 3});
    CHECK(length.tensor(output_tensor)->sizes == std::vector<std::int64_t>{3, 6, 1, 14});
    CHECK(std::get<ConvolutionOperation>(length.operations[0]).transposed);
    layer.kind = LayerKind::convolution;
    layer.spatial = {7, 8, 9};
    layer.windows.assign(3, {.kernel = 3});
    const GraphSpec volume = layer_forms(layer).front().graph;
    CHECK(volume.tensor(weight_tensor)->sizes == std::vector<std::int64_t>{6, 2, 3, 3, 3});
    CHECK(volume.tensor(output_tensor)->sizes == std::vector<std::int64_t>{3, 6, 5, 6, 7});
}

TEST_CASE("few channels are packed as cuDNN would pack them at every run") {
    FusedLayer layer = some_layer();
    const auto packed = [&](MathMode math, std::int64_t channels) {
        layer.math = math;
        layer.in_channels = channels;
        return layer_forms(layer).front().in_channels;
    };
    CHECK(packed(MathMode::f16, 3) == 4);
    CHECK(packed(MathMode::f16, 5) == 5);
    CHECK(packed(MathMode::bf16, 3) == 8);
    CHECK(packed(MathMode::f32, 3) == 3);
    CHECK(packed(MathMode::tf32, 3) == 3);
}

TEST_CASE("what no graph can say is refused in words") {
    struct Case {
        const char* reason;
        void (*spoil)(FusedLayer& layer);
    };
    const Case cases[] = {
        {"it is empty", [](FusedLayer& layer) { layer.batch = 0; }},
        {"it has 2 spatial sizes and 1 windows", [](FusedLayer& layer) { layer.windows.pop_back(); }},
        {"it has a negative padding", [](FusedLayer& layer) { layer.windows[0].pad_before = -1; }},
        {"it has no output", [](FusedLayer& layer) { layer.windows[0].kernel = 100; }},
        {"3 groups do not divide 16 and 24 channels", [](FusedLayer& layer) { layer.groups = 3; }},
        {"its sizes overflow", [](FusedLayer& layer) { layer.batch = std::int64_t{1} << 60; }},
    };
    for (const Case& broken : cases) {
        FakeCudnn fake;
        FusedLayer layer = some_layer();
        broken.spoil(layer);
        const LegalLayer legal = legalised(fake, layer);
        CHECK_FALSE(legal.form);
        REQUIRE(legal.refusals.size() == 1);
        CHECK(legal.refusals[0].reason == broken.reason);
        CHECK(fake.graphs.empty());
    }
}

TEST_CASE("engines are taken by what the math mode allows") {
    const FakeEngine tensor_core{.number = 1, .numerical_notes = {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}};
    const FakeEngine rounding{.number = 2, .numerical_notes = {CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS}};
    const FakeEngine varying{.number = 3, .numerical_notes = {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}};
    const FakeEngine compiled{.number = 4, .behavior_notes = {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}};
    const FakeEngine large{.number = 5, .workspace = std::int64_t{1} << 30};
    const FakeEngine plain{.number = 6};
    const FakeEngine transforming[] = {{.number = 7, .numerical_notes = {CUDNN_NUMERICAL_NOTE_FFT}},
                                       {.number = 8, .numerical_notes = {CUDNN_NUMERICAL_NOTE_WINOGRAD}},
                                       {.number = 9, .numerical_notes = {CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4}},
                                       {.number = 10, .numerical_notes = {CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6}},
                                       {.number = 11, .numerical_notes = {CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13}}};
    const auto engines = [&](MathMode math) {
        FakeCudnn fake;
        fake.mode_a = {tensor_core, rounding, varying, compiled, large};
        fake.mode_a.insert(fake.mode_a.end(), std::begin(transforming), std::end(transforming));
        fake.fallback = {plain, tensor_core};
        FusedLayer layer = some_layer();
        layer.math = math;
        std::string names;
        for (const Plan& plan : legalised(fake, layer, {.wanted = 10}).plans) names += plan.engine() + "; ";
        return names;
    };
    CHECK(engines(MathMode::f32) == "engine 6; ");
    CHECK(engines(MathMode::tf32) == "engine 1; engine 6; ");
    CHECK(engines(MathMode::f16) == "engine 1; engine 2; engine 6; ");
}

TEST_CASE("a form that engine 0 alone does is a last resort") {
    const auto legal_of = [](const FusedLayer& layer, const std::string& fast) {
        FakeCudnn fake;
        fake.mode_a = {{.number = 0}, {.number = 5}};
        fake.on_finalize = [&](const FakeDescriptor& descriptor) {
            if (descriptor.type != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) return CUDNN_STATUS_SUCCESS;
            return (engine_number_of_plan(descriptor) == 0) == (operations_of_plan(descriptor) == fast)
                       ? CUDNN_STATUS_NOT_SUPPORTED
                       : CUDNN_STATUS_SUCCESS;
        };
        const LegalLayer legal = legalised(fake, layer);
        return std::make_pair(legal.form->name + ": " + legal.plans.front().engine(), legal.refusals.size());
    };
    FusedLayer layer = some_layer();
    CHECK(legal_of(layer, "conv bias") == std::pair<std::string, std::size_t>("convolution + bias: engine 5", 2));
    CHECK(legal_of(layer, "conv residual bias relu") ==
          std::pair<std::string, std::size_t>("convolution + residual + bias + relu: engine 5", 0));
    CHECK(legal_of(layer, "none") ==
          std::pair<std::string, std::size_t>("convolution + residual + bias + relu: engine 0", 0));
    // Its graph is that of a layer with the channels that it is brought to.
    layer.math = MathMode::f16;
    layer.in_channels = 1;
    CHECK(legal_of(layer, "conv bias") == std::pair<std::string, std::size_t>("convolution + bias: engine 5", 2));
    layer.in_channels = layer.groups = 24;
    CHECK(legal_of(layer, "conv bias") ==
          std::pair<std::string, std::size_t>("convolution + residual + bias + relu: engine 0", 0));
}

TEST_CASE("the reasons of engines are counted") {
    FakeCudnn fake;
    fake.mode_a = {{.number = 1, .numerical_notes = {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}},
                   {.number = 2, .numerical_notes = {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}},
                   {.number = 3, .workspace = std::int64_t{1} << 30}};
    FusedLayer layer = some_layer();
    layer.math = MathMode::f32;
    const LegalLayer legal = legalised(fake, layer);
    REQUIRE(legal.refusals.size() == 4);
    CHECK(
        legal.refusals[3].text() ==
        "convolution: it uses tensor cores, which round f32 to tf32 (of 2 engine configurations); its workspace passes "
        "268435456 bytes (of 1 engine configuration)");
    fake.mode_a.clear();
    CHECK(legalised(fake, layer).refusals[3].text() == "convolution: cuDNN proposes no engine");
}

TEST_CASE("what is no refusal is thrown") {
    for (const auto status : {CUDNN_STATUS_BAD_PARAM, CUDNN_STATUS_NOT_INITIALIZED, CUDNN_STATUS_EXECUTION_FAILED}) {
        FakeCudnn fake;
        fake.on_finalize = [&](const FakeDescriptor& descriptor) {
            return descriptor.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR ? status : CUDNN_STATUS_SUCCESS;
        };
        CHECK_THROWS_AS(legalised(fake, some_layer()), CudnnError);
        CHECK(fake.alive.empty());
    }
}

TEST_CASE("whichever call fails, no descriptor is left") {
    FakeCudnn whole;
    { const LegalLayer legal = legalised(whole, some_layer()); }
    CHECK(whole.alive.empty());
    CHECK(whole.created > 10);
    REQUIRE(whole.calls > 100);
    for (int call = 0; call < whole.calls; ++call) {
        FakeCudnn fake;
        fake.failing_call = call;
        fake.failure = call % 2 == 0 ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_BAD_PARAM;
        try {
            legalised(fake, some_layer());
        } catch (const CudnnError& error) {
            CHECK(error.status() == fake.failure);
        }
        CHECK(fake.alive.empty());
    }
}

}  // namespace
}  // namespace seq::tests
