#include <doctest/doctest.h>

#include <cmath>

#include "graph/convert.hpp"
#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/conv_transpose.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/matmul.hpp"
#include "tests/cuda/layer_case.hpp"

namespace seq::tests {
namespace {

using Posts = std::vector<LayerCase::Post>;

ops::Conv2d convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t groups = 1) {
    ops::Conv2d conv;
    conv.in_channels = in;
    conv.out_channels = out;
    conv.kernel_size = kernel;
    conv.groups = groups;
    return conv;
}

TEST_CASE("convolutions of odd sizes agree with the reference") {
    struct Example {
        std::int64_t batch, in, out, groups, kernel, stride, padding, dilation;
        bool bias;
    };
    const Example examples[] = {{1, 9, 5, 1, 3, 1, 1, 1, true},   {2, 33, 17, 1, 1, 1, 0, 1, true},
                                {3, 12, 9, 3, 3, 2, 0, 1, true},  {2, 10, 10, 10, 3, 1, 2, 2, false},
                                {5, 17, 1, 1, 5, 2, 3, 1, false}, {1, 8, 16, 1, 7, 3, 3, 1, true}};
    for (const Example& e : examples) {
        CAPTURE(e.in);
        ops::Conv2d conv = convolution(e.in, e.out, e.kernel, e.groups);
        conv.stride = {e.stride, 1};
        conv.padding.amounts = e.padding;
        conv.dilation = e.dilation;
        conv.bias = e.bias;
        for (const MathMode math : all_math_modes) {
            LayerCase layer(conv, {{e.batch, e.in, 11, 13}});
            layer.check(e.bias ? "convolution + bias" : "convolution", math);
        }
    }
}

TEST_CASE("convolutions over lengths and volumes, and asymmetric paddings") {
    ops::Conv1d length{.in_channels = 8, .out_channels = 7, .kernel_size = 4};
    length.padding.mode = "same";
    LayerCase(length, {{3, 8, 10}}).check("convolution + bias");
    ops::Conv3d volume{.in_channels = 9, .out_channels = 4, .kernel_size = {1, 2, 3}};
    volume.stride = {1, 2, 1};
    volume.padding.amounts = {0, 1, 2};
    LayerCase(volume, {{2, 9, 3, 4, 5}}).check("convolution + bias");
}

TEST_CASE("transposed convolutions agree with the reference") {
    struct Example {
        std::int64_t in, out, groups, kernel, stride, padding, output_padding, dilation;
        bool bias;
    };
    const Example examples[] = {{6, 4, 1, 3, 2, 1, 1, 1, true},
                                {6, 9, 3, 3, 2, 0, 1, 2, true},
                                {5, 7, 1, 2, 3, 0, 2, 1, false},
                                {8, 8, 8, 3, 2, 1, 1, 1, true}};
    for (const Example& e : examples) {
        CAPTURE(e.in);
        ops::ConvTranspose2d conv{.in_channels = e.in, .out_channels = e.out, .kernel_size = e.kernel};
        conv.groups = e.groups;
        conv.stride = e.stride;
        conv.padding = e.padding;
        conv.output_padding = e.output_padding;
        conv.dilation = e.dilation;
        conv.bias = e.bias;
        for (const MathMode math : all_math_modes)
            LayerCase(conv, {{2, e.in, 5, 4}})
                .check(e.bias ? "transposed convolution + bias" : "transposed convolution", math);
    }
}

TEST_CASE("depthwise convolutions are cuDNN's only where they are measured") {
    const auto refusal = [](std::int64_t channels, std::int64_t groups, bool estimate, const char* variant = "") {
        LayerCase layer(convolution(channels, channels, 3, groups), {{2, channels, 6, 7}});
        layer.estimate = estimate;
        layer.variant = variant;
        const auto kernel = layer.prepare();
        return kernel == nullptr ? layer.refusal.substr(0, layer.refusal.find('\n')) : std::string();
    };
    CHECK(refusal(8, 8, true)
              .starts_with("cudnn.convolution: leaves depthwise ones to others where nothing is measured"));
    CHECK(refusal(8, 8, false).empty());
    CHECK(refusal(8, 8, true, "engine 1: convolution + bias").empty());
    CHECK(refusal(8, 4, true).empty());
    CHECK(refusal(1, 1, true).empty());
}

TEST_CASE("weights that are not finite meet no padding of cuDNN's") {
    const float huge = 1e6f;  // infinite as f16 alone
    const auto refusal = [](const Op& op, float number, MathMode math) {
        LayerCase layer(op, {{2, 8, 6, 7}});
        layer.data(1).data<float>()[5] = number;
        const auto kernel = layer.prepare(math);
        CHECK((kernel == nullptr) == !layer.refusal.empty());
        return kernel == nullptr ? layer.refusal.substr(0, layer.refusal.find('\n')) : std::string();
    };
    ops::Conv2d padded = convolution(8, 5, 3);
    padded.padding.amounts = 1;
    ops::ConvTranspose2d transposed{.in_channels = 8, .out_channels = 5, .kernel_size = 3};
    const std::string why = "its weight holds NaN or Inf as f32, of which cuDNN makes NaN where it meets padding";
    for (const float number : {INFINITY, -INFINITY, NAN}) {
        CHECK(refusal(padded, number, MathMode::f32) == "cudnn.convolution: " + why);
        CHECK(refusal(padded, number, MathMode::tf32) == "cudnn.convolution: " + why);
        CHECK(refusal(padded, number, MathMode::bf16).find("NaN or Inf as bf16") != std::string::npos);
        // Without padding each is multiplied by what it sees alone.
        CHECK(refusal(convolution(8, 5, 3), number, MathMode::f32).empty());
    }
    CHECK(refusal(transposed, INFINITY, MathMode::f32).empty() == false);
    CHECK(refusal(padded, huge, MathMode::f32).empty());
    CHECK(refusal(padded, huge, MathMode::bf16).empty());
    CHECK(refusal(padded, huge, MathMode::f16).find("NaN or Inf as f16") != std::string::npos);
    CHECK(refusal(padded, 1.0f, MathMode::f16).empty());
}

TEST_CASE("every function that cuDNN has is a part of the form") {
    struct Example {
        Op op;
        const char* name;
    };
    const Example examples[] = {
        {ops::ReLU{}, "relu"},
        {ops::ReLU6{}, "relu + min(6)"},
        {ops::Hardtanh{.min_val = -0.5, .max_val = 0.25}, "max(-0.5) + min(0.25)"},
        {ops::LeakyReLU{.negative_slope = 0.25}, "relu slope 0.25"},
        {ops::RReLU{.lower = 0.25, .upper = 0.75}, "relu slope 0.5"},
        {ops::ELU{.alpha = 0.5}, "elu(0.5)"},
        {ops::CELU{}, "elu(1)"},
        {ops::GELU{}, "gelu"},
        {ops::GELU{.approximate = "tanh"}, "gelu tanh"},
        {ops::SiLU{}, "swish(1)"},
        {ops::Sigmoid{}, "sigmoid"},
        {ops::Tanh{}, "tanh"},
        {ops::Softplus{.beta = 2}, "softplus(2)"},
    };
    for (const Example& e : examples) {
        LayerCase layer(convolution(8, 3, 3), {{2, 8, 5, 4}}, {{e.op}});
        layer.check(std::string("convolution + bias + ") + e.name);
    }
}

TEST_CASE("a clip is one function where cuDNN does not take it as two") {
    LayerCase layer(convolution(8, 3, 3), {{2, 8, 5, 4}}, {{ops::Hardtanh{.min_val = -0.5, .max_val = 0.25}}});
    layer.fake.on_finalize = [](const FakeDescriptor& descriptor) {
        const bool two = descriptor.type == CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR &&
                         operations_of(descriptor) == "conv bias function function";
        return two ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_SUCCESS;
    };
    const auto kernel = layer.prepare();
    REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
    CHECK(kernel->description == "cuDNN engine 1: convolution + bias + clip[-0.5, 0.25]");
    REQUIRE(kernel->refused_forms.size() == 1);
    CHECK(kernel->refused_forms[0].starts_with("convolution + bias + max(-0.5) + min(0.25): "));
    layer.check(*kernel);
}

TEST_CASE("residuals are added before the activation or after it") {
    const std::vector<std::int64_t> output{2, 5, 6, 7};
    const ops::Conv2d conv = convolution(8, 5, 1);
    for (const MathMode math : all_math_modes) {
        for (const int position : {0, 1}) {
            LayerCase(conv, {{2, 8, 6, 7}}, {{ops::Add{}, {output}, position}, {ops::ReLU{}}})
                .check("convolution + residual + bias + relu", math);
            LayerCase(conv, {{2, 8, 6, 7}}, {{ops::SiLU{}}, {ops::Add{}, {output}, position}})
                .check("convolution + bias + swish(1) + residual", math);
        }
        ops::Conv2d bare = conv;
        bare.bias = false;
        LayerCase(bare, {{2, 8, 6, 7}}, {{ops::Add{}, {output}}}).check("convolution + residual + zero bias", math);
    }
}

TEST_CASE("what a form leaves of the layer comes after it") {
    const std::vector<std::int64_t> output{2, 5, 6, 7};
    const std::vector<Posts> epilogues{
        {{ops::Add{}, {output}}, {ops::ReLU{}}},
        {{ops::SiLU{}}, {ops::Add{}, {output}}},
        {{ops::ReLU6{}}, {ops::Mul{}, {output}}, {ops::Sub{}, {{2, 5, 1, 1}}, 1}, {ops::Tanh{}}},
        {{ops::Hardswish{}}, {ops::Add{}, {output}}},
        {{ops::PReLU{.num_parameters = 5}, {{5}}, 0, true}, {ops::Add{}, {{5, 1, 1}}, 0, true}},
        {{ops::Add{.other = 0.5}}, {ops::Mish{}}},
    };
    const char* const graphs[] = {"conv residual bias relu", "conv residual bias", "conv bias function residual",
                                  "conv bias function",      "conv bias",          "conv"};
    for (const Posts& epilogue : epilogues) {
        for (const MathMode math : all_math_modes) {
            int forms = 0;
            for (const char* const graph : graphs) {
                CAPTURE(graph);
                LayerCase layer(convolution(8, 5, 1), {{2, 8, 6, 7}}, epilogue);
                layer.take_only(graph);
                if (const auto kernel = layer.prepare(math)) {
                    layer.check(*kernel, math);
                    CHECK(kernel->refused_forms.empty() == (std::string_view(graph) == layer.fake.graphs.front()));
                    ++forms;
                }
            }
            CHECK(forms >= 2);
        }
    }
}

TEST_CASE("an input of few channels is brought to as many as cuDNN wants, from whatever order") {
    const auto check = [](MathMode math, std::int64_t channels, std::int64_t wide, const Layout& offered) {
        LayerCase layer(convolution(channels, 5, 3), {{2, channels, 6, 7}}, {{ops::ReLU{}}});
        layer.offered = offered;
        const auto kernel = layer.prepare(math);
        REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
        layer.check(*kernel, math);
        CHECK(kernel->scratch_bytes == static_cast<std::size_t>(2 * 6 * 7 * wide) * size_of(storage_type(math)));
        const cuda::GraphSpec& graph = layer.runs.back().graph;
        CHECK(graph.tensor(cuda::input_tensor)->sizes == std::vector<std::int64_t>{2, wide, 6, 7});
        CHECK(graph.tensor(cuda::weight_tensor)->sizes[1] == wide);
    };
    for (const Layout& offered : {Layout::plain(), Layout::channels_last(), Layout::blocked(8)}) {
        for (const std::int64_t channels : {1, 3, 5}) {
            for (const Kept kept : {Kept::own, Kept::bf16}) check(MathMode::bf16, channels, 8, offered.kept(kept));
        }
        for (const Kept kept : {Kept::own, Kept::f16}) check(MathMode::f16, 3, 4, offered.kept(kept));
    }
}

TEST_CASE("weights are packed with channels innermost, in the type that is multiplied") {
    ops::Conv2d conv = convolution(6, 4, 2, 2);
    LayerCase layer(conv, {{1, 6, 3, 3}});
    const auto weight = layer.data(1).data<float>();  // [4, 3, 2, 2]
    for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i);
    layer.data(2).data<float>()[3] = 7;
    for (const MathMode math : all_math_modes) {
        const auto kernel = layer.prepare(math);
        REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
        layer.check(*kernel, math);
        const DType type = storage_type(math);
        CHECK(kernel->packed_bytes == (48 + 4) * size_of(type));
        const auto& pointers = layer.runs.back().pointers;
        const auto number = [&](cuda::TensorId tensor, std::size_t i) {
            float value = 0;
            convert_floats(static_cast<const std::byte*>(pointers.at(tensor)) + i * size_of(type), type, &value,
                           DType::f32, 1);
            return value;
        };
        for (std::size_t i = 0; i < 48; ++i) {
            const std::size_t out = i / 12, position = i / 3 % 4, channel = i % 3;
            CHECK(number(cuda::weight_tensor, i) == static_cast<float>(out * 12 + channel * 4 + position));
        }
        CHECK(number(cuda::bias_tensor, 3) == 7);
    }
}

TEST_CASE("a run tells cuDNN the queue's handle, the tensors and the workspace, and makes its pack once") {
    LayerCase layer(convolution(8, 5, 1), {{2, 8, 6, 7}}, {{ops::ReLU6{}}});
    layer.fake.mode_a[0].workspace = 1000;
    const auto kernel = layer.prepare();
    REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
    CHECK(kernel->scratch_bytes == 1000);
    const std::size_t before = layer.fake.created;
    layer.check(*kernel);  // two runs
    CHECK(layer.fake.created == before + 1);
    REQUIRE(layer.runs.size() == 2);
    const FakeRun& run = layer.runs[0];
    CHECK(run.handle != nullptr);
    CHECK(run.workspace != nullptr);
    CHECK(run.pointers.size() == 5);
    CHECK(*static_cast<const float*>(run.pointers.at(cuda::upper_limit_tensor)) == 6);
    CHECK(run.pointers == layer.runs[1].pointers);
}

TEST_CASE("a layer computes the same on copies of its weights, and reads nothing else of them") {
    LayerCase layer(convolution(8, 5, 3), {{2, 8, 6, 7}}, {{ops::ReLU6{}}});
    const auto kernel = layer.prepare();
    REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
    std::vector<std::shared_ptr<const std::vector<std::byte>>> copies;
    std::vector<const void*> places;
    const auto moved = kernel->on_copies([&](const void* packed, std::size_t bytes) {
        const auto* const first = static_cast<const std::byte*>(packed);
        copies.push_back(std::make_shared<const std::vector<std::byte>>(first, first + bytes));
        places.push_back(copies.back()->data());
        return std::shared_ptr<const void>(copies.back(), places.back());
    });
    const auto stayed = kernel->on_copies([](const void*, std::size_t) { return nullptr; });
    REQUIRE(moved != nullptr);
    REQUIRE(copies.size() == 2);
    CHECK(copies[0]->size() + copies[1]->size() == kernel->packed_bytes);
    CHECK(copies[0].use_count() == 2);
    layer.check(*kernel);
    const auto own = layer.runs.back().pointers;
    layer.check(*stayed);
    for (const cuda::TensorId tensor : {cuda::weight_tensor, cuda::bias_tensor})
        CHECK(layer.runs.back().pointers.at(tensor) == own.at(tensor));
    layer.check(*moved);
    const auto pointers = layer.runs.back().pointers;
    for (const cuda::TensorId tensor : {cuda::weight_tensor, cuda::bias_tensor}) {
        CHECK(pointers.at(tensor) != own.at(tensor));
        CHECK(std::find(places.begin(), places.end(), pointers.at(tensor)) != places.end());
    }
    CHECK(pointers.at(cuda::upper_limit_tensor) == own.at(cuda::upper_limit_tensor));
}

TEST_CASE("what multiplies two values has no weights to be copied") {
    LayerCase product(ops::MatMul{}, {{2, 3, 4}, {2, 4, 5}});
    const auto none = product.prepare();
    REQUIRE_MESSAGE(none != nullptr, product.refusal);
    CHECK(none->on_copies([](const void*, std::size_t) { return nullptr; }) == nullptr);
}

TEST_CASE("what cuDNN does not take is refused with its reasons") {
    const auto reasons = [](const Op& op, std::vector<std::int64_t> sizes, bool engines = true) {
        LayerCase layer(op, {std::move(sizes)});
        if (!engines) layer.fake.mode_a.clear();
        CHECK(layer.prepare() == nullptr);
        return layer.refusal;
    };
    ops::Conv2d reflecting = convolution(8, 5, 3);
    reflecting.padding.amounts = 1;
    reflecting.padding_mode = "reflect";
    CHECK(reasons(reflecting, {2, 8, 6, 7}).starts_with("cudnn.convolution: pads with zeros alone\n"));
    CHECK(reasons(convolution(8, 5, 1), {2, 8, 6, 7}, false)
              .starts_with("cudnn.convolution: convolution + bias: cuDNN proposes no engine; convolution: "));
    CHECK(reasons(ops::ReLU{}, {2, 3}) ==
          "cudnn.convolution: takes convolutions alone\ncudnn.conv_transpose: takes transposed convolutions "
          "alone\ncudnn.linear: takes Linear alone\ncudnn.matmul: takes MatMul alone\n"
          "cudnn.pool: takes MaxPool, AvgPool and adaptive pools alone\n"
          "cudnn.norm: takes LayerNorm, RMSNorm, InstanceNorm and GroupNorm alone\n");
}

TEST_CASE("a failure of the GPU ends the session, whatever was being done") {
    LayerCase layer(convolution(8, 5, 1), {{2, 8, 6, 7}});
    const auto kernel = layer.prepare();
    REQUIRE(kernel != nullptr);
    layer.fake.on_execute = [](const FakeRun&) { return CUDNN_STATUS_EXECUTION_FAILED; };
    try {
        layer.check(*kernel);
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.code() == "device/failed");
        CHECK(
            std::string(error.what()).starts_with("cuDNN fails at cuDNN engine 1: convolution + bias: running a plan"));
    }
}

}  // namespace
}  // namespace seq::tests
