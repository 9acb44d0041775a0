#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/reference_run.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"

// Ways of cuDNN's that are not its favourite: other engines, and forms that leave parts of a layer to our own kernels.
namespace seq::tests {
namespace {

struct Layer {
    const char* name;
    const char* spec;
};

constexpr Layer layers[] = {
    {"conv + relu", R"({"seq": 1, "inputs": {"x": [2, 32, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 64, "kernel_size": 3, "padding": 1}, "ReLU"]})"},
    {"conv + residual + relu", R"({"seq": 1, "inputs": {"x": [2, 64, 14, 14], "r": [2, 64, 14, 14]}, "layers": [
        {"type": "Conv2d", "name": "c", "from": "x", "out_channels": 64, "kernel_size": 1},
        {"type": "Add", "from": ["c", "r"]}, "ReLU"]})"},
    {"three channels", R"({"seq": 1, "inputs": {"x": [2, 3, 56, 56]}, "layers": [
        {"type": "Conv2d", "out_channels": 64, "kernel_size": 7, "stride": 2, "padding": 3}, "ReLU"]})"},
    {"conv + silu", R"({"seq": 1, "inputs": {"x": [2, 32, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 96, "kernel_size": 1}, "SiLU"]})"},
    {"depthwise + relu6", R"({"seq": 1, "inputs": {"x": [2, 96, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 96, "kernel_size": 3, "padding": 1, "groups": 96}, "ReLU6"]})"},
    {"groups", R"({"seq": 1, "inputs": {"x": [2, 64, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 64, "kernel_size": 3, "padding": 1, "groups": 4}, "ReLU"]})"},
    {"odd channels", R"({"seq": 1, "inputs": {"x": [2, 17, 9, 7]}, "layers": [
        {"type": "Conv2d", "out_channels": 13, "kernel_size": 3, "dilation": 2, "padding": 2}, "Tanh"]})"},
    {"one dimension", R"({"seq": 1, "inputs": {"x": [2, 32, 200]}, "layers": [
        {"type": "Conv1d", "out_channels": 32, "kernel_size": 9, "stride": 4, "padding": 4}, "ReLU"]})"},
    {"transposed", R"({"seq": 1, "inputs": {"x": [2, 64, 8, 8]}, "layers": [
        {"type": "ConvTranspose2d", "out_channels": 32, "kernel_size": 2, "stride": 2}]})"},
    {"linear + gelu", R"({"seq": 1, "inputs": {"x": [32, 256]}, "layers": [
        {"type": "Linear", "out_features": 128}, "GELU"]})"},
    {"matmul", R"({"seq": 1, "inputs": {"x": [4, 32, 64], "y": [4, 64, 48]}, "layers": [
        {"type": "MatMul", "from": ["x", "y"]}]})"},
};

/// A kernel that takes one of its variants, by number; `count` takes how many there are.
class OneVariant final : public Kernel {
   public:
    OneVariant(const Kernel& kernel, std::size_t number, std::size_t& count)
        : kernel_(kernel), number_(number), count_(count) {}
    std::string_view name() const override { return kernel_.name(); }
    bool takes_lowered() const override { return kernel_.takes_lowered(); }
    Support supports(const KernelRequest& request) const override { return kernel_.supports(request); }
    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const std::vector<std::string> variants = kernel_.variants(request).names;
        count_ = variants.size();
        KernelRequest one = request;
        if (number_ < variants.size()) one.variant = variants[number_];
        return kernel_.prepare(one, weights, refusal);
    }

   private:
    const Kernel& kernel_;
    std::size_t number_;
    std::size_t& count_;
};

class LayerCheck {
   public:
    explicit LayerCheck(const Layer& layer)
        : graph_(graph_of(layer.spec)), weights_(random_weights(needed_parameters(graph_), 5)) {
        std::map<std::string, TensorView> by_name;
        float seed = 0.2f;
        for (const Value* input : graph_.inputs()) {
            const std::vector<std::int64_t> sizes = *input->type.shape.sizes();
            Tensor tensor(DType::f32, sizes);
            // Around 0, so that sums stay small.
            for (float& value : tensor.data<float>())
                value = (seed = seed * 1.7f - std::floor(seed * 1.7f) + 0.1f) - 0.6f;
            inputs_.push_back({input->name, std::move(tensor)});
            by_name[input->name] = inputs_.back().tensor.view();
        }
        const std::string& output = graph_.output_names().front();
        expected_.push_back({output, std::move(run_reference(graph_, weights_, by_name).at(output))});
    }

    /// Returns how many variants there are, and what ran.
    std::size_t run(std::size_t number, MathMode math, double& distance, std::string& description) const {
        std::size_t count = 0;
        std::vector<std::unique_ptr<Kernel>> owned;
        KernelList kernels;
        for (const Kernel* kernel : *gpu().backend().kernels) {
            const bool is_cudnn = kernel->name().starts_with("cudnn.");
            kernels.push_back(is_cudnn ? owned.emplace_back(std::make_unique<OneVariant>(*kernel, number, count)).get()
                                       : kernel);
        }
        Backend backend = gpu().backend();
        backend.kernels = &kernels;
        CompileOptions options;
        options.weights = weights_;
        Session session(on_gpu(graph_, math, options, backend));
        std::vector<NamedArray> outputs = like(expected_);
        for (int run = 0; run < 2; ++run) session.run(views(inputs_), views(outputs));
        distance = relative_distance(outputs[0].tensor, expected_[0].tensor);
        for (const Step& step : session.plan()->steps)
            if (step.kernel_name.starts_with("cudnn.")) description = step.kernel->description;
        return count;
    }

   private:
    Graph graph_;
    std::shared_ptr<const WeightSource> weights_;
    std::vector<NamedArray> inputs_, expected_;
};

/// All variants, or so many of them from the first to the last.
constexpr std::size_t most = 10;

void check(const Layer& layer, MathMode math, Tally& tally) {
    const LayerCheck example(layer);
    std::size_t count = 1, steps = 1;
    for (std::size_t i = 0; i < steps; ++i) {
        if (!is_time_left()) return tally.leave_out();
        const std::size_t number = steps == 1 ? 0 : i * (count - 1) / (steps - 1);
        const std::string name = fmt::format("{}, variant {} of {}", layer.name, number, count);
        double distance = 0;
        std::string description;
        try {
            count = example.run(number, math, distance, description);
            tally.compare(fmt::format("{} ({})", name, description), distance);
        } catch (const Error& error) {
            // What is not its favourite may fail when it runs: tuning leaves it out then.
            if (i == 0 || error.code() != "device/failed") throw;
            tally.note(name + " does not run: " + error.what());
        }
        steps = std::max<std::size_t>(1, std::min(count, most));
    }
    if (count == 0) tally.note(fmt::format("{}: cuDNN takes no part in it", layer.name));
}

void check_all(MathMode math) {
    Tally tally("variants of cuDNN's", math, agreement(math));
    for (const Layer& layer : layers) tally.attempt(layer.name, [&] { check(layer, math, tally); });
}

// A case for each mode, so that they may run beside each other.
TEST_CASE("every way of cuDNN's to run a layer agrees with the reference in f32") { check_all(MathMode::f32); }
TEST_CASE("every way of cuDNN's to run a layer agrees with the reference in tf32") { check_all(MathMode::tf32); }
TEST_CASE("every way of cuDNN's to run a layer agrees with the reference in f16") { check_all(MathMode::f16); }
TEST_CASE("every way of cuDNN's to run a layer agrees with the reference in bf16") { check_all(MathMode::bf16); }

}  // namespace
}  // namespace seq::tests
