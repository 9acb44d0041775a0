#include "tools/gpu_board/seeded_weights.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>

#include "engine/reference_run.hpp"
#include "frontend/check.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"

namespace seq {
namespace {

/// Pixels along a side, and samples along a line of one dimension.
constexpr std::int64_t small_side = 64, small_line = 1024;

/// Weights some of which are others.
class FittedWeights final : public WeightSource {
   public:
    explicit FittedWeights(std::shared_ptr<const WeightSource> weights) : weights_(std::move(weights)) {}

    const std::vector<Entry>& entries() const override { return weights_->entries(); }
    const Entry* find(std::string_view name) const override { return weights_->find(name); }
    std::string description() const override { return weights_->description() + ", fitted"; }
    void read(const Entry& entry, std::span<std::byte> out) const override {
        const auto fitted = fitted_.find(entry.name);
        if (fitted == fitted_.end()) return weights_->read(entry, out);
        std::memcpy(out.data(), fitted->second.data(), out.size());
    }

    /// Multiplies the numbers of a parameter of f32.
    void scale(const std::string& name, double factor) {
        const Entry& entry = *find(name);
        std::vector<float> numbers(static_cast<std::size_t>(entry.sizes.front()));
        weights_->read(entry, std::as_writable_bytes(std::span(numbers)));
        for (float& number : numbers) number *= static_cast<float>(factor);
        fitted_[name] = std::move(numbers);
    }

   private:
    std::shared_ptr<const WeightSource> weights_;
    std::map<std::string, std::vector<float>, std::less<>> fitted_;
};

Graph small_graph(const std::string& spec) {
    CheckOptions options;
    options.bindings["N"] = 1;
    const Graph whole = load_model(spec, options);
    options.bindings.clear();
    for (const Value* input : whole.inputs()) {
        std::vector<std::int64_t> sizes = *input->type.shape.sizes();
        for (std::size_t i = 2; i < sizes.size(); ++i)
            sizes[i] = std::min(sizes[i], sizes.size() == 3 ? small_line : small_side);
        options.shapes[input->name] = Shape(std::vector<Dim>(sizes.begin(), sizes.end()));
    }
    return load_model(spec, options);
}

double mean_square(const TensorView& view) {
    const std::span<const float> values(view.as<float>(), static_cast<std::size_t>(view.element_count()));
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
    return sum / static_cast<double>(values.size());
}

/// Fits each BatchNorm to what comes to it from normally distributed inputs.
void fit(const std::shared_ptr<FittedWeights>& weights, const Graph& graph) {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    std::vector<Tensor> tensors;
    std::map<std::string, TensorView> inputs;
    for (const Value* input : graph.inputs()) {
        Tensor& tensor = tensors.emplace_back(input->type.dtype, *input->type.shape.sizes());
        for (float& value : tensor.data<float>()) value = normal(generator);
        inputs[input->name] = tensor.view();
    }
    run_reference(graph, weights, inputs, [&](const Node& node, const TensorView& input) {
        const Value* const variance = node.parameter("running_var");
        if (variance == nullptr) return;
        const double square = mean_square(input);
        weights->scale(variance->name, square);
        weights->scale(node.parameter("running_mean")->name, std::sqrt(square));
    });
}

}  // namespace

std::shared_ptr<const WeightSource> seeded_weights(const std::string& spec, std::uint64_t seed) {
    const Graph graph = small_graph(spec);
    auto weights = std::make_shared<FittedWeights>(random_weights(needed_parameters(graph), seed));
    const auto nodes = graph.nodes();
    const bool normalises = std::any_of(nodes.begin(), nodes.end(),
                                        [](const Node* node) { return node->parameter("running_var") != nullptr; });
    if (normalises) fit(weights, graph);
    return weights;
}

}  // namespace seq
