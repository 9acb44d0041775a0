#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/build_store.hpp"
#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/convolution.hpp"
#include "kernels/cuda/cudnn/legalise.hpp"
#include "kernels/cuda/cudnn/stored_plan.hpp"
#include "tests/cuda/h100.hpp"
#include "tests/cuda/layer_case.hpp"
#include "tests/engine/plan_file_bytes.hpp"

// Plans that the cuDNN of this machine makes for an H100 that it need not have.
namespace seq::tests {
namespace {

using namespace cuda;

struct Convolution {
    std::string line;
    FusedLayer layer;
    bool depthwise() const { return layer.groups > 1; }
};

Convolution parse(const std::string& line) {
    std::istringstream words(line);
    std::string network, epilogue;
    Convolution convolution{line, {}};
    FusedLayer& layer = convolution.layer;
    std::int64_t size = 0;
    WindowSpec window;
    words >> network >> layer.in_channels >> layer.out_channels >> size >> window.kernel >> window.stride >>
        layer.groups >> epilogue;
    REQUIRE_MESSAGE(words, line);
    window.pad_before = window.pad_after = window.kernel / 2;
    layer.spatial = {size, size};
    layer.windows = {window, window};
    layer.bias = true;
    if (epilogue.starts_with("residual")) layer.residual = ResidualPlace::before_activation;
    if (epilogue == "relu6") layer.activation = PointwiseFunction::clip(0, 6);
    if (epilogue.ends_with("relu")) layer.activation = PointwiseFunction::relu();
    return convolution;
}

std::vector<Convolution> convolutions() {
    std::vector<Convolution> all;
    std::ifstream file(SEQ_TEST_DATA "/cuda/convolutions.txt");
    for (std::string line; std::getline(file, line);) all.push_back(parse(line));
    REQUIRE(all.size() == 63);
    return all;
}

TEST_CASE("every convolution of resnet50, vgg16 and mobilenet_v2 has a plan for an H100") {
    if (!can_plan()) return;
    const DeviceProperties properties = h100();
    const PlanTarget target{&properties};
    for (Convolution& convolution : convolutions()) {
        for (const MathMode math : all_math_modes) {
            for (const std::int64_t batch : {1, 32, 128}) {
                CAPTURE(convolution.line);
                CAPTURE(name_of(math));
                CAPTURE(batch);
                convolution.layer.math = math;
                convolution.layer.batch = batch;
                const LegalLayer legal = legalise(cudnn(), convolution.layer, target, {});
                for (const FormRefusal& refusal : legal.refusals) INFO(refusal.text());
                REQUIRE(legal.plans.size() == 1);
                // All of it in one plan; but a clip, which is fused when cuDNN may compile: or else by engine 0 alone,
                // which other convolutions than depthwise ones do not take.
                const bool clips = convolution.line.ends_with("relu6");
                const bool apart = clips && !convolution.depthwise();
                CHECK(legal.form->activation == (convolution.layer.activation.has_value() && !apart));
                CHECK(legal.form->residual == (convolution.layer.residual != ResidualPlace::none));
                CHECK(legal.form->bias);
                CHECK(legal.refusals.size() == (apart ? 2 : clips ? 1 : 0));
                CHECK(legal.plans[0].is_last_resort() == convolution.depthwise());
                CHECK(legal.plans[0].workspace() <= PlanOptions().workspace_cap);
                check_round_trip(legal.plans[0], target);
                const std::string name = variant_of(*legal.form, legal.plans[0]);
                const LegalLayer again = find_variant(cudnn(), convolution.layer, name, target, {});
                REQUIRE(again.plans.size() == 1);
                CHECK(again.plans[0].serialised() == legal.plans[0].serialised());
            }
        }
    }
}

TEST_CASE("a plan's name that is nonsense is refused, whatever cuDNN calls it") {
    if (!can_plan()) return;
    const DeviceProperties properties = h100();
    const PlanTarget target{&properties};
    FusedLayer layer = convolutions().front().layer;
    layer.math = MathMode::f16;
    const LegalLayer legal = legalise(cudnn(), layer, target, {});
    REQUIRE(legal.form);
    for (const char* const engine :
         {"engine -1", "engine 99999", "engine 34, knobs 2=99999", "engine 34, knobs 2=-7", "engine 34, knobs 24=3",
          "engine 34, knobs 2=1 2=1", "engine 1, knobs 2=99999 5=12345", "engine 0, knobs 1=5"}) {
        const LegalLayer named =
            find_variant(cudnn(), layer, fmt::format("{}: {}", engine, legal.form->name), target, {});
        CHECK_FALSE(named.form);
        CAPTURE(named.refusals.front().reason);
        CHECK(named.refusals.front().reason.starts_with("cuDNN has no such plan"));
    }
}

TEST_CASE("strict f32 has no engine on tensor cores") {
    if (!can_plan()) return;
    const DeviceProperties properties = h100();
    const PlanTarget target{&properties};
    FusedLayer layer = parse("resnet50 64 64 56 3 1 1 relu").layer;
    const auto count = [&](MathMode math) {
        layer.math = math;
        return legalise(cudnn(), layer, target, {.wanted = 1000}).plans.size();
    };
    const std::size_t strict = count(MathMode::f32);
    CHECK(strict > 0);
    CHECK(count(MathMode::tf32) > strict);
}

TEST_CASE("a plan goes to the cache of builds and comes back") {
    if (!can_plan()) return;
    const DeviceProperties properties = h100();
    const PlanTarget target{&properties};
    const PlanOrigin origin = origin_of(cudnn(), properties.name());
    FusedLayer layer = parse("resnet50 64 64 56 3 1 1 relu").layer;
    layer.math = MathMode::f16;
    const LegalLayer legal = legalise(cudnn(), layer, target, {.wanted = 3});
    REQUIRE(legal.plans.size() == 3);
    const ScratchPlan folder("cudnn_builds");
    const BuildFolder builds(folder.path);
    const auto key = [&](const Plan& plan) { return plan_key(legal.form->graph, plan.engine(), layer.math, origin); };
    for (const Plan& plan : legal.plans) builds.keep({key(plan), to_bytes(store(plan, origin))});
    for (const Plan& plan : legal.plans) {
        const auto kept = builds.find(key(plan));
        REQUIRE(kept);
        CHECK(restore(cudnn(), *kept, plan.engine(), origin, target).serialised() == plan.serialised());
    }
    std::filesystem::remove_all(folder.path);
}

TEST_CASE("what needs a GPU to be compiled is left to other kernels, with cuDNN's reason") {
    if (!can_plan()) return;
    const DeviceProperties properties = h100();
    FusedLayer layer = parse("swish 64 64 56 3 1 1 none").layer;
    layer.math = MathMode::f16;
    layer.activation = PointwiseFunction::swish();
    const LegalLayer legal = legalise(cudnn(), layer, {&properties}, {});
    REQUIRE(legal.form);
    CHECK(legal.form->name == "convolution + bias");
    REQUIRE(legal.refusals.size() == 1);
    CAPTURE(legal.refusals[0].text());
    CHECK(legal.refusals[0].form == "convolution + bias + swish(1)");
    // With a driver cuDNN proposes them, and we refuse.
    const bool without_driver = legal.refusals[0].reason.find("libcuda == nullptr") != std::string::npos;
    const bool with_driver = legal.refusals[0].reason.find("compiled at run time") != std::string::npos;
    CHECK((without_driver || with_driver));
}

TEST_CASE("other layers have plans for an H100 too") {
    if (!can_plan()) return;
    const DeviceProperties properties = h100();
    const PlanTarget target{&properties};
    FusedLayer linear{.kind = LayerKind::linear, .batch = 32, .in_channels = 512, .out_channels = 1000, .bias = true};
    FusedLayer transposed{.kind = LayerKind::transposed_convolution, .batch = 4, .in_channels = 64, .out_channels = 32};
    transposed.spatial = {14, 14};
    transposed.windows.assign(2, {.kernel = 2, .stride = 2});
    FusedLayer length{.batch = 4, .in_channels = 16, .out_channels = 24, .spatial = {100}, .bias = true};
    length.windows = {{.kernel = 5, .pad_before = 2, .pad_after = 2}};
    FusedLayer volume{.batch = 2, .in_channels = 16, .out_channels = 24, .spatial = {8, 9, 10}, .bias = true};
    volume.windows.assign(3, {.kernel = 3, .pad_before = 1, .pad_after = 1});
    for (FusedLayer& layer : std::vector{linear, transposed, length, volume}) {
        for (const MathMode math : all_math_modes) {
            layer.math = math;
            const LegalLayer legal = legalise(cudnn(), layer, target, {});
            for (const FormRefusal& refusal : legal.refusals) INFO(refusal.text());
            CAPTURE(name_of(math));
            REQUIRE(legal.form);
            CAPTURE(legal.form->name);
            check_round_trip(legal.plans[0], target);
        }
    }
}

/// A convolution of 64 channels to 32, each of whose spatial sizes has the same window.
FusedLayer with_window(LayerKind kind, std::vector<std::int64_t> spatial, WindowSpec window, std::int64_t groups = 1,
                       std::optional<PointwiseFunction> activation = std::nullopt) {
    FusedLayer layer{.kind = kind, .batch = 4, .in_channels = 64, .out_channels = 32};
    layer.windows.assign(spatial.size(), window);
    layer.spatial = std::move(spatial);
    layer.groups = groups;
    layer.bias = true;
    layer.activation = activation;
    return layer;
}

/// A layer and what of it precompiled engines do at once.
struct Path {
    FusedLayer layer;
    const char* form;
};

std::vector<Path> paths() {
    constexpr auto conv = LayerKind::convolution, back = LayerKind::transposed_convolution;
    const auto relu = PointwiseFunction::relu();
    const WindowSpec three{.kernel = 3, .pad_before = 1, .pad_after = 1};
    const WindowSpec dilated{.kernel = 3, .dilation = 2, .pad_before = 2, .pad_after = 2};
    const WindowSpec doubling{.kernel = 4, .stride = 2, .pad_before = 1, .pad_after = 1};
    const char *const whole = "convolution + bias + relu", *const bare = "transposed convolution";
    FusedLayer linear{.kind = LayerKind::linear, .batch = 32, .in_channels = 512, .out_channels = 1000, .bias = true};
    FusedLayer activated = linear, unbiased = with_window(conv, {28, 28}, three, 1, relu);
    activated.activation = PointwiseFunction::gelu();
    unbiased.bias = false;
    return {
        {with_window(conv, {28, 28}, three, 1, relu), whole},
        {unbiased, "convolution + zero bias + relu"},
        {with_window(conv, {28, 28}, dilated, 1, relu), whole},
        {with_window(conv, {28, 28}, {.kernel = 4, .pad_before = 1, .pad_after = 2}, 1, relu), whole},
        {with_window(conv, {28, 28}, three, 1, PointwiseFunction::clip(0, 6)), "convolution + bias"},
        {with_window(conv, {28, 28}, three, 1, PointwiseFunction::swish()), "convolution + bias"},
        {with_window(conv, {28, 28}, three, 2, relu), whole},
        {with_window(conv, {28, 28}, three, 8, relu), whole},
        {with_window(conv, {100}, {.kernel = 5, .pad_before = 2, .pad_after = 2}, 1, relu), whole},
        {with_window(conv, {100}, dilated, 1, relu), whole},
        {with_window(conv, {100}, three, 4, relu), whole},
        {with_window(conv, {8, 9, 10}, three, 1, relu), whole},
        {with_window(back, {14, 14}, {.kernel = 2, .stride = 2}), bare},
        {with_window(back, {14, 14}, doubling, 1, relu), bare},
        {with_window(back, {14, 14}, doubling, 4), bare},
        {with_window(back, {14, 14}, {.kernel = 3, .stride = 2, .pad_before = 1, .pad_after = 1, .output_padding = 1}),
         bare},
        {with_window(back, {14, 14}, {.kernel = 3, .dilation = 2}), bare},
        {with_window(back, {100}, doubling), bare},
        {with_window(back, {100}, doubling, 4), bare},
        {with_window(back, {6, 7, 8}, {.kernel = 2, .stride = 2}), bare},
        {linear, "linear as a convolution + bias"},
        {activated, "linear as a convolution + bias"},
    };
}

TEST_CASE("no convolution but depthwise ones, and no Linear, is left to engine 0, in no math mode") {
    if (!can_plan()) return;
    const DeviceProperties properties = h100();
    for (Path& path : paths()) {
        for (const MathMode math : all_math_modes) {
            CAPTURE(text_of(layer_forms(path.layer).front().graph));
            CAPTURE(name_of(math));
            path.layer.math = math;
            const LegalLayer legal = legalise(cudnn(), path.layer, {&properties}, {});
            REQUIRE(legal.form);
            CHECK(legal.form->name == path.form);
            CHECK_FALSE(legal.plans[0].is_last_resort());
        }
    }
}

/// A model without numbers.
class NoWeights final : public WeightProvider {
   public:
    bool available(const Value&) const override { return false; }
    TensorView view(const Value&) override { throw std::logic_error("there are no weights"); }
    std::shared_ptr<const Tensor> keep(const Value&) override { throw std::logic_error("there are no weights"); }
    PackedWeights packed(const Value&, const std::string&, const std::function<PackedWeights(const TensorView&)>&,
                         std::size_t) override {
        throw std::logic_error("there are no weights");
    }
};

/// A convolution of 64 channels with a residual where that is asked for, and an activation.
Node* add_convolution(Graph& graph, bool residual, const Op& activation) {
    ops::Conv2d conv{.in_channels = 64, .out_channels = 64, .kernel_size = 3};
    conv.padding.amounts = 1;
    const TensorType type{DType::f32, Shape({Dim(2), Dim(64), Dim(28), Dim(28)})};
    NodeSpec spec;
    spec.op = conv;
    spec.inputs = {graph.add_input("x", type)};
    spec.parameter_prefix = spec.name = "conv";
    if (residual) spec.epilogue.push_back({ops::Add{}, {graph.add_input("y", type)}, 0});
    spec.epilogue.push_back({activation, {}, 0});
    return graph.add(std::move(spec));
}

TEST_CASE("nodes are prepared by the plans that cuDNN has for an H100, and say what it has none for") {
    if (!can_plan()) return;
    const HostRuntime memory;
    const CudnnDevice device(cudnn(), memory, h100());
    const auto kernels = make_cudnn_kernels(device);
    for (const MathMode math : all_math_modes) {
        CAPTURE(name_of(math));
        const auto prepare = [&](bool residual, const Op& activation) {
            Graph graph;
            const Node& node = *add_convolution(graph, residual, activation);
            KernelRequest request{node, {}, {}, {}};
            request.options.dtype = math;
            for (const Value* input : node.inputs) request.inputs.push_back(place(*input, Layout::plain()));
            request.outputs.push_back(place(*node.output(), Layout::plain()));
            NoWeights weights;
            std::string refusal;
            REQUIRE(kernels.front()->supports(request));
            auto kernel = kernels.front()->prepare(request, weights, refusal);
            REQUIRE_MESSAGE(kernel != nullptr, refusal);
            CHECK(kernel->scratch_bytes <= static_cast<std::size_t>(PlanOptions().workspace_cap));
            CHECK(kernel->output_layouts[0] == Layout::channels_last().kept(kept_in(math)));
            return kernel;
        };
        const auto whole = prepare(true, ops::ReLU{});
        CHECK(whole->description.starts_with("cuDNN engine "));
        CHECK(whole->description.ends_with(": convolution + residual + bias + relu"));
        CHECK(whole->refused_forms.empty());
        const auto part = prepare(false, ops::SiLU{});
        CHECK(part->description.ends_with(": convolution + bias"));
        REQUIRE(part->refused_forms.size() == 1);
        CHECK(part->refused_forms[0].starts_with("convolution + bias + swish(1): "));
    }
}

TEST_CASE("properties and plans that are none are refused with cuDNN's words") {
    if (!can_plan()) return;
    const DeviceProperties properties = h100();
    CHECK(properties.name() == "NVIDIA H100 80GB HBM3");
    CHECK_THROWS_WITH_AS(DeviceProperties::from_json(cudnn(), "{}"), doctest::Contains("maxGridSize"), CudnnError);
    CHECK_THROWS_AS(restore(cudnn(), {{}, "engine 1", 0, "{}"}, {&properties}), CudnnError);
}

}  // namespace
}  // namespace seq::tests
