#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <memory>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/batch_norm.hpp"
#include "graph/ops/group_norm.hpp"
#include "graph/ops/instance_norm.hpp"
#include "graph/ops/layer_norm.hpp"
#include "graph/ops/rms_norm.hpp"
#include "tests/cuda/layer_case.hpp"

// Norms, as tests/cuda/layer_kernels.cpp has convolutions.
namespace seq::tests {
namespace {

using Sizes = std::vector<std::int64_t>;

void check_norm(const Op& op, const Sizes& input, const char* form, std::vector<LayerCase::Post> epilogue = {}) {
    for (const MathMode math : all_math_modes) LayerCase(op, {input}, epilogue).check(form, math);
}

TEST_CASE("layer norms agree with the reference, with weights and without") {
    check_norm(ops::LayerNorm{.normalized_shape = {4}}, {2, 5, 3, 4}, "layer norm");
    check_norm(ops::LayerNorm{.normalized_shape = {3, 4}, .eps = 0.5}, {2, 5, 3, 4}, "layer norm");
    check_norm(ops::LayerNorm{.normalized_shape = {7}, .bias = false}, {6, 7}, "layer norm");
    check_norm(ops::LayerNorm{.normalized_shape = {33}, .elementwise_affine = false}, {33}, "layer norm");
    check_norm(ops::LayerNorm{.normalized_shape = {5, 3, 4}}, {2, 5, 3, 4}, "layer norm");
}

TEST_CASE("RMS norms agree with the reference") {
    check_norm(ops::RMSNorm{.normalized_shape = {5, 3}}, {2, 5, 3}, "RMS norm");
    check_norm(ops::RMSNorm{.normalized_shape = {33}, .eps = 0.25, .elementwise_affine = false}, {4, 33}, "RMS norm");
}

TEST_CASE("instance norms of one to three dimensions agree with the reference, and groups of one channel are such") {
    check_norm(ops::InstanceNorm1d{}, {2, 5, 13}, "instance norm");
    check_norm(ops::InstanceNorm2d{.eps = 0.25, .affine = true}, {2, 5, 7, 4}, "instance norm");
    check_norm(ops::InstanceNorm2d{.affine = true, .bias = false}, {2, 5, 7, 4}, "instance norm");
    check_norm(ops::InstanceNorm3d{}, {2, 3, 3, 2, 4}, "instance norm");
    check_norm(ops::GroupNorm{.num_groups = 6, .num_channels = 6}, {2, 6, 5, 3}, "instance norm");
}

TEST_CASE("what follows a norm is a part of it as far as cuDNN has it") {
    const Sizes rows{6, 7}, images{2, 5, 7, 4};
    const ops::LayerNorm layer_norm{.normalized_shape = {7}};
    const ops::InstanceNorm2d instance_norm{.affine = true};
    check_norm(layer_norm, rows, "layer norm + gelu", {{ops::GELU{}}});
    check_norm(layer_norm, rows, "layer norm + residual + relu", {{ops::Add{}, {rows}}, {ops::ReLU{}}});
    check_norm(instance_norm, images, "instance norm + relu", {{ops::ReLU{}}});
    check_norm(instance_norm, images, "instance norm + relu + residual", {{ops::ReLU{}}, {ops::Add{}, {images}}});
    // A weight that is added to each row of a norm without a bias is its bias.
    check_norm(ops::LayerNorm{.normalized_shape = {7}, .bias = false}, rows, "layer norm + relu",
               {{ops::Add{}, {{7}}, 0, true}, {ops::ReLU{}}});
    check_norm(ops::RMSNorm{.normalized_shape = {7}}, rows, "RMS norm", {{ops::Add{}, {{7}}, 1, true}});
    const std::vector<LayerCase::Post> epilogue{{ops::Add{}, {images}}, {ops::Sigmoid{}}, {ops::Mul{.other = 3.0}}};
    for (const MathMode math : all_math_modes) {
        for (const char* const graph : {"norm residual function", "norm residual", "norm"}) {
            CAPTURE(graph);
            LayerCase layer(instance_norm, {images}, epilogue);
            const auto kernel = layer.check_with_only(graph, math);
            CHECK(kernel->refused_forms.empty() == (std::string_view(graph) == layer.fake.graphs.front()));
            CHECK(layer.fake.graphs.size() <= 3);
        }
    }
}

/// What a layer's graph was given.
class Given {
   public:
    Given(LayerCase& layer, MathMode math) : kernel_(layer.prepare(math)) {
        REQUIRE_MESSAGE(kernel_ != nullptr, layer.refusal);
        layer.check(*kernel_, math);
        pointers_ = layer.runs.back().pointers;
    }
    const PreparedKernel& kernel() const { return *kernel_; }
    bool has(cuda::TensorId tensor) const { return pointers_.contains(tensor); }
    std::vector<float> numbers(cuda::TensorId tensor, std::size_t count) const {
        const auto* const first = static_cast<const float*>(pointers_.at(tensor));
        return {first, first + count};
    }

   private:
    std::unique_ptr<PreparedKernel> kernel_;
    std::map<cuda::TensorId, void*> pointers_;
};

using Numbers = std::vector<float>;

TEST_CASE("scales and biases of norms are uploaded as f32") {
    for (const MathMode math : all_math_modes) {
        LayerCase layer(ops::LayerNorm{.normalized_shape = {3}}, {{4, 3}});
        const Given given(layer, math);
        CHECK(given.kernel().packed_bytes == 2 * 3 * sizeof(float));
        CHECK(given.kernel().plain_weights.empty());
        const auto scale = layer.data(1).data<float>(), bias = layer.data(2).data<float>();
        CHECK(given.numbers(cuda::weight_tensor, 3) == Numbers(scale.begin(), scale.end()));
        CHECK(given.numbers(cuda::bias_tensor, 3) == Numbers(bias.begin(), bias.end()));
        CHECK(given.numbers(cuda::epsilon_tensor, 1) == Numbers{1e-5f});
    }
    // Infinite ones are as good as others: nothing is padded.
    LayerCase layer(ops::LayerNorm{.normalized_shape = {3}}, {{4, 3}});
    layer.data(1).data<float>()[1] = INFINITY;
    layer.check("layer norm");
}

TEST_CASE("a norm without a scale or a bias is given ones and zeros, but RMS norms no bias") {
    for (const MathMode math : all_math_modes) {
        for (const bool centred : {true, false}) {
            LayerCase layer(centred ? Op(ops::LayerNorm{.normalized_shape = {3}, .elementwise_affine = false})
                                    : Op(ops::RMSNorm{.normalized_shape = {3}, .elementwise_affine = false}),
                            {{4, 3}});
            const Given given(layer, math);
            CHECK(given.numbers(cuda::weight_tensor, 3) == Numbers{1, 1, 1});
            CHECK(given.has(cuda::bias_tensor) == centred);
            if (centred) CHECK(given.numbers(cuda::bias_tensor, 3) == Numbers{0, 0, 0});
        }
    }
}

TEST_CASE("a norm computes the same on copies of its weights") {
    LayerCase layer(ops::InstanceNorm2d{.affine = true}, {{2, 5, 7, 4}});
    const auto kernel = layer.prepare();
    REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
    std::vector<std::vector<std::byte>> copies;
    copies.reserve(2);
    const auto moved = kernel->on_copies([&](const void* packed, std::size_t bytes) {
        const auto* const first = static_cast<const std::byte*>(packed);
        const void* const copy = copies.emplace_back(first, first + bytes).data();
        return std::shared_ptr<const void>(std::shared_ptr<const void>(), copy);
    });
    REQUIRE(moved != nullptr);
    REQUIRE(copies.size() == 2);
    layer.check(*moved);
    CHECK(layer.runs.back().pointers.at(cuda::weight_tensor) == copies[0].data());
}

TEST_CASE("what is not finite makes NaN of all that is normalized with it, and of nothing else") {
    for (const float number : {NAN, INFINITY}) {
        const auto check = [&](const Op& op, const Sizes& input) {
            LayerCase layer(op, {input});
            layer.data(0).data<float>()[9] = number;
            const auto kernel = layer.prepare();
            REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
            CHECK(kernel->ignores_nonfinite);
            layer.check(*kernel);
        };
        check(ops::LayerNorm{.normalized_shape = {7}}, {6, 7});
        check(ops::InstanceNorm2d{}, {2, 5, 3, 2});
    }
}

TEST_CASE("rows lie plain, images with their channels innermost, kept as the result is") {
    for (const MathMode math : all_math_modes) {
        for (const bool rounded : {true, false}) {
            const auto layout_of = [&](const Op& op, const Sizes& input) {
                LayerCase layer(op, {input});
                layer.offered = Layout::channels_last().kept(kept_in(math));
                if (!rounded) layer.offered_output = Layout::plain();
                const auto kernel = layer.prepare(math);
                REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
                layer.check(*kernel, math);
                CHECK(kernel->input_layouts[0] == kernel->output_layouts[0]);
                return kernel->output_layouts[0];
            };
            const Kept kept = rounded ? kept_in(math) : Kept::own;
            CHECK(layout_of(ops::LayerNorm{.normalized_shape = {4}}, {2, 5, 3, 4}) == Layout::plain().kept(kept));
            CHECK(layout_of(ops::InstanceNorm2d{}, {2, 5, 3, 4}) == Layout::channels_last().kept(kept));
        }
    }
}

TEST_CASE("norms that cuDNN's are not are refused in words") {
    const auto refusal = [](const Op& op, const Sizes& input, std::vector<std::size_t> constants = {}) {
        LayerCase layer(op, {input}, {}, std::move(constants));
        CHECK(layer.prepare() == nullptr);
        CHECK(layer.fake.graphs.empty());
        const std::size_t start = layer.refusal.find("cudnn.norm: ");
        REQUIRE(start != std::string::npos);
        return layer.refusal.substr(start + 12, layer.refusal.find('\n', start) - start - 12);
    };
    CHECK(refusal(ops::GroupNorm{.num_groups = 2, .num_channels = 6}, {2, 6, 5, 3}) ==
          "normalizes each channel by itself, or all that an image has: its group norm is told no number of groups");
    CHECK(refusal(ops::GroupNorm{.num_groups = 6, .num_channels = 6}, {2, 6}) == "takes images alone");
    CHECK(refusal(ops::InstanceNorm2d{.track_running_stats = true}, {2, 5, 3, 4}) ==
          "normalizes by an image's own mean and variance alone");
    CHECK(refusal(ops::LayerNorm{.normalized_shape = {1}}, {2, 5, 1}) == "normalizes two numbers at least");
    CHECK(refusal(ops::LayerNorm{.normalized_shape = {5}}, {0, 5}) == "it is empty");
    CHECK(refusal(ops::LayerNorm{.normalized_shape = {5}}, {2, 5}, {0}) == "takes values of the run alone");
    CHECK(refusal(ops::BatchNorm2d{}, {2, 5, 3, 4}) == "takes LayerNorm, RMSNorm, InstanceNorm and GroupNorm alone");
}

TEST_CASE("norms are refused with cuDNN's reasons, form by form") {
    LayerCase layer(ops::LayerNorm{.normalized_shape = {7}}, {{6, 7}}, {{ops::ReLU{}}});
    layer.fake.mode_a = {{.number = 2, .behavior_notes = {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}}};
    CHECK(layer.prepare() == nullptr);
    const std::string why = "it is compiled at run time, which needs a GPU (of 1 engine configuration)";
    CHECK(layer.refusal.ends_with("cudnn.norm: layer norm + relu: " + why + "; layer norm: " + why + "\n"));
}

TEST_CASE("no engine of cuDNN's is a last resort for norms") {
    LayerCase layer(ops::LayerNorm{.normalized_shape = {7}}, {{6, 7}}, {{ops::ReLU{}}});
    layer.fake.mode_a = {{.number = 0}};
    const auto kernel = layer.prepare();
    REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
    CHECK(kernel->description == "cuDNN engine 0: layer norm + relu");
    CHECK(layer.variants() == std::vector<std::string>{"engine 0: layer norm + relu", "engine 0: layer norm"});
}

}  // namespace
}  // namespace seq::tests
