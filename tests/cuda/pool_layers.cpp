#include <doctest/doctest.h>

#include <cmath>

#include "graph/ops/activation.hpp"
#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/pool.hpp"
#include "tests/cuda/layer_case.hpp"

// Pools, as tests/cuda/layer_kernels.cpp has convolutions.
namespace seq::tests {
namespace {

using cuda::PoolOperation;
using Sizes = std::vector<std::int64_t>;

constexpr const char *largest = "max pool", *within = "average pool", *padded = "average pool with padding";

/// In every mode, of which those that keep values rounded give pools rounded ones.
void check_pool(const Op& op, const Sizes& input, const char* form, std::vector<LayerCase::Post> epilogue = {}) {
    for (const MathMode math : all_math_modes) LayerCase(op, {input}, epilogue).check(form, math);
}

TEST_CASE("max pools of one to three dimensions agree with the reference") {
    check_pool(ops::MaxPool1d{.kernel_size = 3, .stride = 2, .padding = 1}, {2, 5, 11}, largest);
    check_pool(ops::MaxPool2d{.kernel_size = {3, 2}, .padding = {1, 0}}, {2, 5, 9, 8}, largest);
    check_pool(ops::MaxPool2d{.kernel_size = 3, .stride = 2, .padding = 1}, {3, 17, 7, 10}, largest);
    check_pool(ops::MaxPool2d{.kernel_size = 2, .stride = 3}, {1, 1, 9, 7}, largest);
    check_pool(ops::MaxPool2d{.kernel_size = 3, .stride = 1, .padding = 1}, {2, 8, 2, 1}, largest);
    check_pool(ops::MaxPool3d{.kernel_size = {2, 1, 3}, .stride = {1, 2, 3}, .padding = {1, 0, 1}}, {2, 4, 5, 4, 7},
               largest);
    // One element is as far from itself as dilation says.
    check_pool(ops::MaxPool2d{.kernel_size = 1, .stride = 2, .dilation = 3}, {2, 5, 6, 5}, largest);
}

TEST_CASE("windows of ceil_mode reach past the end, where there is nothing to be the largest or to be counted") {
    for (const std::int64_t size : {8, 9, 10, 11}) {
        CAPTURE(size);
        check_pool(ops::MaxPool2d{.kernel_size = 3, .stride = 3, .padding = 1, .ceil_mode = true},
                   {2, 5, size, size + 3}, largest);
        check_pool(ops::AvgPool2d{.kernel_size = {4, 3}, .stride = 3, .ceil_mode = true}, {2, 5, size, 7}, within);
        check_pool(
            ops::AvgPool1d{.kernel_size = 5, .stride = 4, .padding = 2, .ceil_mode = true, .count_include_pad = false},
            {2, 3, size}, within);
    }
    // They fit: all of them end within the padding.
    check_pool(ops::AvgPool2d{.kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true}, {2, 5, 7, 9}, padded);
}

TEST_CASE("average pools count the padding or not") {
    for (const bool counts : {true, false}) {
        const char* const form = counts ? padded : within;
        check_pool(ops::AvgPool1d{.kernel_size = 3, .stride = 2, .padding = 1, .count_include_pad = counts}, {2, 5, 11},
                   form);
        check_pool(
            ops::AvgPool2d{.kernel_size = {3, 2}, .stride = {2, 1}, .padding = {0, 1}, .count_include_pad = counts},
            {2, 5, 8, 9}, form);
        check_pool(ops::AvgPool3d{.kernel_size = 3, .stride = 2, .padding = 1, .count_include_pad = counts},
                   {2, 3, 4, 5, 6}, form);
        check_pool(ops::AvgPool2d{.kernel_size = 3, .stride = 2, .count_include_pad = counts}, {2, 5, 8, 9}, within);
    }
}

TEST_CASE("adaptive pools whose windows are alike are pools, global ones among them") {
    check_pool(ops::AdaptiveAvgPool2d{.output_size = 1}, {2, 5, 7, 5}, within);
    check_pool(ops::AdaptiveAvgPool1d{.output_size = 4}, {2, 3, 12}, within);
    check_pool(ops::AdaptiveAvgPool3d{.output_size = {2, 1, 3}}, {2, 4, 4, 5, 6}, within);
    check_pool(ops::AdaptiveMaxPool2d{.output_size = {3, 2}}, {2, 4, 9, 4}, largest);
    check_pool(ops::AdaptiveMaxPool1d{.output_size = 7}, {2, 3, 7}, largest);
}

TEST_CASE("what follows a pool is a part of it as far as cuDNN has it") {
    const Sizes input{2, 5, 8, 6}, output{2, 5, 4, 3};
    const ops::MaxPool2d pool{.kernel_size = 2};
    check_pool(pool, input, "max pool + relu", {{ops::ReLU{}}});
    check_pool(pool, input, "max pool + swish(1)", {{ops::SiLU{}}});
    check_pool(pool, input, "max pool + residual + relu", {{ops::Add{}, {output}, 1}, {ops::ReLU{}}});
    check_pool(pool, input, "max pool + relu + residual", {{ops::ReLU{}}, {ops::Add{}, {output}}});
    check_pool(pool, input, "max pool", {{ops::Mish{}}});
    const std::vector<LayerCase::Post> epilogue{{ops::Add{}, {output}}, {ops::Sigmoid{}}, {ops::Mul{.other = 3.0}}};
    for (const MathMode math : all_math_modes) {
        for (const char* const graph : {"pool residual function", "pool residual", "pool"}) {
            CAPTURE(graph);
            LayerCase layer(pool, {input}, epilogue);
            const auto kernel = layer.check_with_only(graph, math);
            CHECK(kernel->refused_forms.empty() == (std::string_view(graph) == layer.fake.graphs.front()));
        }
    }
}

TEST_CASE("a NaN wins, and whatever is not finite stays in the windows that see it") {
    for (const float number : {NAN, INFINITY, -INFINITY}) {
        const auto check = [&](const Op& op, const char* form) {
            LayerCase layer(op, {{2, 5, 7, 6}});
            layer.data(0).data<float>()[50] = number;
            layer.data(0).data<float>()[0] = number;
            layer.check(form);
        };
        check(ops::MaxPool2d{.kernel_size = 3, .stride = 2, .padding = 1}, largest);
        check(ops::AvgPool2d{.kernel_size = 3, .stride = 2, .padding = 1}, padded);
        check(ops::AdaptiveAvgPool2d{.output_size = 1}, within);
    }
}

TEST_CASE("pools read and write what the result is kept in, channels innermost") {
    LayerCase layer(ops::AvgPool2d{.kernel_size = 2}, {{2, 5, 8, 6}});
    for (const Layout& offered : {Layout::plain(), Layout::channels_last()}) {
        layer.offered = offered;
        for (const MathMode math : all_math_modes) {
            for (const bool rounded : {true, false}) {
                if (!rounded) layer.offered_output = Layout::plain();
                const auto kernel = layer.prepare(math);
                REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
                const Layout layout = Layout::channels_last().kept(rounded ? kept_in(math) : Kept::own);
                CHECK(kernel->input_layouts == std::vector{layout});
                CHECK(kernel->output_layouts == std::vector{layout});
                CHECK(kernel->ignores_nonfinite);
                CHECK(kernel->packed_bytes == 0);
                layer.check(*kernel, math);
                layer.offered_output.reset();
            }
        }
    }
    CHECK(layer.prepare()->on_copies([](const void*, std::size_t) { return nullptr; }) == nullptr);
}

TEST_CASE("pools that cuDNN's are not are refused in words") {
    const auto refusal = [](const Op& op, const Sizes& input, std::vector<std::size_t> constants = {}) {
        LayerCase layer(op, {input}, {}, std::move(constants));
        CHECK(layer.prepare() == nullptr);
        CHECK(layer.fake.graphs.empty());
        const std::size_t start = layer.refusal.find("cudnn.pool: ");
        REQUIRE(start != std::string::npos);
        return layer.refusal.substr(start + 12, layer.refusal.find('\n', start) - start - 12);
    };
    CHECK(refusal(ops::MaxPool2d{.kernel_size = 3, .dilation = {1, 2}}, {2, 5, 9, 8}) ==
          "has no windows with a dilation");
    CHECK(refusal(ops::AvgPool2d{.kernel_size = 3, .divisor_override = 5}, {2, 5, 9, 8}) ==
          "divides by the number of a window's elements alone");
    CHECK(refusal(ops::AvgPool2d{.kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true}, {2, 5, 8, 9}) ==
          "counts what a window of ceil_mode has beyond the padding");
    CHECK(refusal(ops::AdaptiveAvgPool2d{.output_size = {3, 2}}, {2, 4, 7, 4}) ==
          "takes adaptive pools alone whose windows are all of one size");
    CHECK(refusal(ops::AdaptiveMaxPool1d{.output_size = 7}, {2, 3, 5}) ==
          "takes adaptive pools alone whose windows are all of one size");
    CHECK(refusal(ops::LPPool2d{.norm_type = 2, .kernel_size = 2}, {2, 5, 8, 8}) ==
          "takes MaxPool, AvgPool and adaptive pools alone");
    CHECK(refusal(ops::MaxPool2d{.kernel_size = 3}, {2, 5, 9, 8}, {0}) == "takes values of the run alone");
    CHECK(refusal(ops::MaxPool2d{.kernel_size = 3}, {0, 5, 9, 8}) == "it is empty");
}

TEST_CASE("pools are refused with cuDNN's reasons, form by form") {
    LayerCase layer(ops::MaxPool2d{.kernel_size = 2}, {{2, 5, 8, 6}}, {{ops::ReLU{}}});
    const FakeEngine compiled{.number = 2, .behavior_notes = {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}};
    const FakeEngine rounding{.number = 3, .numerical_notes = {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}};
    layer.fake.mode_a = {compiled, rounding};
    CHECK(layer.prepare() == nullptr);
    const std::string why =
        "it is compiled at run time, which needs a GPU (of 1 engine configuration); it uses tensor cores, which round "
        "f32 to tf32 (of 1 engine configuration)";
    CHECK(layer.refusal.find("cudnn.pool: max pool + relu: " + why + "; max pool: " + why + "\n") != std::string::npos);
    // What is kept as f32 is not rounded for another mode's sake; what is kept rounded may be.
    layer.offered_output = Layout::plain();
    for (const MathMode math : all_math_modes) CHECK(layer.prepare(math) == nullptr);
    layer.offered_output.reset();
    CHECK(layer.prepare(MathMode::tf32) == nullptr);
    CHECK(layer.prepare(MathMode::f16) != nullptr);
}

TEST_CASE("cuDNN's engine 0 is an engine like others where nothing is multiplied") {
    LayerCase layer(ops::MaxPool2d{.kernel_size = 2}, {{2, 5, 8, 6}}, {{ops::ReLU{}}});
    layer.fake.mode_a = {{.number = 0}, {.number = 7}};
    const auto kernel = layer.prepare();
    REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
    CHECK(kernel->description == "cuDNN engine 0: max pool + relu");
    CHECK(kernel->refused_forms.empty());
    CHECK(layer.variants() == std::vector<std::string>{"engine 0: max pool + relu", "engine 7: max pool + relu",
                                                       "engine 0: max pool", "engine 7: max pool"});
    for (const std::string& name : layer.variants()) {
        layer.variant = name;
        const auto one = layer.prepare();
        REQUIRE_MESSAGE(one != nullptr, layer.refusal);
        CHECK(one->description == "cuDNN " + name);
        layer.check(*one);
    }
}

TEST_CASE("pools of lengths slide over two dimensions of cuDNN's") {
    LayerCase layer(ops::MaxPool1d{.kernel_size = 3, .stride = 2, .padding = 1}, {{2, 5, 11}});
    layer.check(largest);
    const cuda::GraphSpec& graph = layer.runs.back().graph;
    CHECK(graph.tensor(cuda::input_tensor)->sizes == Sizes{2, 5, 1, 11});
    CHECK(graph.tensor(cuda::output_tensor)->sizes == Sizes{2, 5, 1, 6});
    CHECK(graph.tensor(cuda::output_tensor)->strides == Sizes{30, 1, 30, 5});
    REQUIRE(graph.operations.size() == 1);
    CHECK(
        std::get<PoolOperation>(graph.operations[0]) ==
        PoolOperation{CUDNN_RESAMPLE_MAXPOOL, cuda::input_tensor, cuda::output_tensor, {1, 3}, {1, 2}, {0, 1}, {0, 1}});
}

}  // namespace
}  // namespace seq::tests
