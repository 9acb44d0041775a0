#include "tests/passes/evaluate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>

#include "kernels/reference/reference.hpp"

using namespace seq;

Tensor numbers_for(const std::string& name, DType dtype, const std::vector<std::int64_t>& sizes) {
    Tensor tensor(dtype, sizes);
    std::mt19937 random(static_cast<unsigned>(std::hash<std::string>{}(name)));
    std::uniform_real_distribution<float> uniform(-1, 1);
    const bool variance = name.ends_with("running_var");
    for (std::int64_t i = 0; i < tensor.element_count(); ++i) {
        const float number = variance ? 1 + uniform(random) / 2 : uniform(random);
        if (dtype == DType::f32) tensor.data<float>()[static_cast<std::size_t>(i)] = number;
        if (dtype == DType::f64) tensor.data<double>()[static_cast<std::size_t>(i)] = number;
        if (dtype == DType::i64) tensor.data<std::int64_t>()[static_cast<std::size_t>(i)] = std::lround(number * 100);
    }
    return tensor;
}

NamedNumbers::NamedNumbers(const Graph& graph) {
    for (const Value* parameter : graph.parameters())
        entries_.push_back({parameter->name, parameter->type.dtype, *parameter->type.shape.sizes()});
}

const WeightSource::Entry* NamedNumbers::find(std::string_view name) const {
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == name; });
    return found == entries_.end() ? nullptr : &*found;
}

void NamedNumbers::read(const Entry& entry, std::span<std::byte> out) const {
    const Tensor tensor = numbers_for(entry.name, entry.dtype, entry.sizes);
    REQUIRE(out.size() == tensor.byte_count());
    std::memcpy(out.data(), tensor.view().data, out.size());
}

namespace {

Tensor load(const WeightSource& weights, const Value& parameter) {
    const WeightSource::Entry* entry = weights.find(parameter.name);
    REQUIRE_MESSAGE(entry != nullptr, parameter.name);
    Tensor tensor(entry->dtype, entry->sizes);
    weights.read(*entry, {tensor.view().as<std::byte>(), tensor.byte_count()});
    return tensor;
}

}  // namespace

std::vector<Tensor> evaluate(const Graph& graph, const Bindings& bindings, const WeightSource& weights) {
    std::vector<NodeFault> faults;
    const Graph bound = graph.bind(bindings, faults);
    for (const NodeFault& fault : faults) FAIL_CHECK(fault.fault.message);
    std::map<const Value*, Tensor> values;
    for (const Value* input : bound.inputs())
        values[input] = numbers_for(input->name, input->type.dtype, *input->type.shape.sizes());
    for (const Value* parameter : bound.parameters()) values[parameter] = load(weights, *parameter);
    const auto view_of = [&](const Value* value) {
        return value->data ? value->data->view() : values.at(value).view();
    };
    for (const Node* node = bound.first_node(); node != nullptr; node = node->next) {
        std::vector<TensorView> inputs;
        std::vector<TensorView> outputs;
        for (const Value* input : node->inputs) inputs.push_back(view_of(input));
        for (const Value* output : node->outputs) {
            values[output] = Tensor(output->type.dtype, *output->type.shape.sizes());
            outputs.push_back(values[output].view());
        }
        reference::run(*node, inputs, outputs);
    }
    std::vector<Tensor> results;
    for (const Value* output : bound.outputs()) {
        const TensorView view = view_of(output);
        Tensor& copy = results.emplace_back(view.dtype, view.sizes());
        std::memcpy(copy.view().data, view.data, view.byte_count());
    }
    return results;
}

double largest_difference(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
    REQUIRE(a.size() == b.size());
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        REQUIRE(std::equal(a[i].sizes().begin(), a[i].sizes().end(), b[i].sizes().begin(), b[i].sizes().end()));
        if (a[i].dtype() != DType::f32) {
            worst =
                std::max(worst, std::memcmp(a[i].view().data, b[i].view().data, a[i].byte_count()) == 0 ? 0.0 : 1.0);
            continue;
        }
        double difference = 0;
        double magnitude = 1e-6;
        for (std::size_t k = 0; k < a[i].data<float>().size(); ++k) {
            const double x = a[i].data<float>()[k];
            const double y = b[i].data<float>()[k];
            if (std::isnan(x) != std::isnan(y)) return 1;
            difference = std::max(difference, std::abs(x - y));
            magnitude = std::max(magnitude, std::abs(x));
        }
        worst = std::max(worst, difference / magnitude);
    }
    return worst;
}
