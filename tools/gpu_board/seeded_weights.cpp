#include "tools/gpu_board/seeded_weights.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>

#include "engine/weight_store.hpp"
#include "frontend/check.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "kernels/reference/reference.hpp"

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

double mean_square(const Tensor& tensor) {
    double sum = 0;
    for (const float value : tensor.data<float>()) sum += static_cast<double>(value) * static_cast<double>(value);
    return sum / static_cast<double>(tensor.element_count());
}

/// Runs a network node by node, and fits each BatchNorm to what comes to it.
class Fitting {
   public:
    Fitting(const Graph& graph, std::shared_ptr<FittedWeights> weights) : graph_(graph), weights_(std::move(weights)) {
        std::mt19937 generator(1);
        std::normal_distribution<float> normal;
        for (const Value* input : graph_.inputs()) {
            Tensor& tensor = values_[input] = Tensor(input->type.dtype, *input->type.shape.sizes());
            for (float& value : tensor.data<float>()) value = normal(generator);
        }
    }

    void run() {
        for (const Node* node = graph_.first_node(); node != nullptr; node = node->next) {
            if (const Value* variance = node->parameter("running_var")) fit(*node, *variance);
            run(*node);
        }
    }

   private:
    void fit(const Node& node, const Value& variance) {
        const double square = mean_square(values_.at(node.inputs[0]));
        weights_->scale(variance.name, square);
        weights_->scale(node.parameter("running_mean")->name, std::sqrt(square));
    }

    void run(const Node& node) {
        WeightStore store;
        store.set_source(weights_, nullptr);
        std::vector<std::shared_ptr<const Tensor>> kept;
        std::vector<TensorView> inputs, outputs;
        for (const Value* input : node.inputs) {
            const auto found = values_.find(input);
            inputs.push_back(found != values_.end() ? found->second.view()
                                                    : kept.emplace_back(store.keep(*input))->view());
        }
        for (const Value* output : node.outputs)
            outputs.push_back((values_[output] = Tensor(output->type.dtype, *output->type.shape.sizes())).view());
        reference::run(node, inputs, outputs);
    }

    const Graph& graph_;
    std::shared_ptr<FittedWeights> weights_;
    std::map<const Value*, Tensor> values_;
};

}  // namespace

std::shared_ptr<const WeightSource> seeded_weights(const std::string& spec, std::uint64_t seed) {
    const Graph graph = small_graph(spec);
    auto weights = std::make_shared<FittedWeights>(random_weights(needed_parameters(graph), seed));
    const auto nodes = graph.nodes();
    const bool normalises = std::any_of(nodes.begin(), nodes.end(),
                                        [](const Node* node) { return node->parameter("running_var") != nullptr; });
    if (normalises) Fitting(graph, weights).run();
    return weights;
}

}  // namespace seq
