#include "engine/reference_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/weight_store.hpp"
#include "graph/convert_tensor.hpp"
#include "kernels/reference/reference.hpp"

namespace seq {
namespace {

void run_node(const Node& node, WeightStore& weights, std::map<const Value*, TensorView>& views,
              ReferenceResults& results) {
    std::string missing;
    if (!reference::supports(node, &missing))
        throw Error("device/unavailable", fmt::format("there is no reference kernel for {}", missing));
    std::vector<std::shared_ptr<const Tensor>> kept;
    std::vector<TensorView> inputs;
    for (const Value* input : node.inputs) {
        const auto found = views.find(input);
        inputs.push_back(found != views.end() ? found->second : kept.emplace_back(weights.keep(*input))->view());
    }
    std::vector<Tensor> outputs;
    std::vector<TensorView> output_views;
    for (const Value* output : node.outputs)
        output_views.push_back(outputs.emplace_back(output->type.dtype, *output->type.shape.sizes()).view());
    reference::run(node, inputs, output_views);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const Value* output = node.outputs[i];
        const bool unnamed = output->name.empty() || results.contains(output->name);
        const std::string name = unnamed ? fmt::format("#{}", output->id) : output->name;
        results.emplace(name, std::move(outputs[i]));
        views[output] = output_views[i];
    }
}

constexpr double infinite = std::numeric_limits<double>::infinity();

std::vector<double> widened(const TensorView& view) {
    Tensor wide(DType::f64, view.sizes());
    if (!convert(view, wide.view())) return {};
    const auto values = wide.data<double>();
    return {values.begin(), values.end()};
}

}  // namespace

ReferenceResults run_reference(const Graph& graph, const std::shared_ptr<const WeightSource>& weights,
                               const std::map<std::string, TensorView>& inputs, const BeforeNode& before) {
    WeightStore store;
    store.set_source(weights, nullptr);
    std::map<const Value*, TensorView> views;
    for (const Value* input : graph.inputs()) views[input] = inputs.at(input->name);
    ReferenceResults results;
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        if (before) {
            const auto input = node->inputs.empty() ? views.end() : views.find(node->inputs.front());
            if (input != views.end()) before(*node, input->second);
        }
        run_node(*node, store, views, results);
    }
    for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
        const Value* output = graph.outputs()[i];
        if (results.contains(graph.output_names()[i])) continue;
        const auto found = views.find(output);
        const TensorView view = found != views.end() ? found->second : store.view(*output);
        Tensor copy(view.dtype, view.sizes());
        convert(view, copy.view());
        results.insert_or_assign(graph.output_names()[i], std::move(copy));
    }
    return results;
}

double relative_distance(const TensorView& actual, const TensorView& expected) {
    const double largest = relative_difference(actual, expected);
    if (largest == 0 || !std::isfinite(largest)) return largest;
    const std::vector<double> a = widened(actual);
    const std::vector<double> b = widened(expected);
    double apart = 0, all = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!std::isfinite(b[i])) continue;
        apart += (a[i] - b[i]) * (a[i] - b[i]);
        all += b[i] * b[i];
    }
    return std::sqrt(apart / std::max(all, std::numeric_limits<double>::min()));
}

double relative_difference(const TensorView& actual, const TensorView& expected) {
    const auto sizes = expected.sizes();
    if (actual.dtype != expected.dtype ||
        !std::equal(sizes.begin(), sizes.end(), actual.sizes().begin(), actual.sizes().end()))
        return infinite;
    const std::vector<double> a = widened(actual);
    const std::vector<double> b = widened(expected);
    if (a.empty() && expected.element_count() > 0) {
        const auto* x = actual.as<std::byte>();
        return std::equal(x, x + actual.byte_count(), expected.as<std::byte>()) ? 0.0 : infinite;
    }
    double largest = 0;
    double difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::isnan(a[i]) && std::isnan(b[i])) continue;
        if (a[i] == b[i]) {
            if (std::isfinite(b[i])) largest = std::max(largest, std::abs(b[i]));
            continue;
        }
        if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return infinite;
        largest = std::max(largest, std::abs(b[i]));
        difference = std::max(difference, std::abs(a[i] - b[i]));
    }
    return difference == 0 ? 0 : difference / std::max(largest, std::numeric_limits<double>::min());
}

}  // namespace seq
