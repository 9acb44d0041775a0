#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "graph/ir.hpp"
#include "graph/ops/embedding.hpp"
#include "graph/tensor.hpp"

// A node alone on random data, for tests of kernels.
namespace seq::test {

struct PostOpCase {
    Op op;
    std::vector<std::vector<std::int64_t>> operands;
    int position = 0;
    bool constant = false;  ///< operands are weights
};

/// Adds the node "layer" and its inputs. `constants`: the data inputs that are weights.
inline Node* add_case(Graph& graph, Op op, const std::vector<std::vector<std::int64_t>>& inputs,
                      const std::vector<PostOpCase>& epilogue, const std::vector<DType>& dtypes,
                      const std::vector<std::size_t>& constants = {}) {
    NodeSpec spec;
    spec.op = std::move(op);
    spec.parameter_prefix = "layer";
    spec.name = "layer";
    const auto value = [&](const std::string& name, const std::vector<std::int64_t>& sizes, DType dtype,
                           bool is_constant) {
        TensorType type{dtype, Shape(std::vector<Dim>(sizes.begin(), sizes.end()))};
        return is_constant ? graph.add_parameter(name, std::move(type)) : graph.add_input(name, std::move(type));
    };
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const bool is_constant = std::find(constants.begin(), constants.end(), i) != constants.end();
        const DType dtype = i < dtypes.size() ? dtypes[i] : DType::f32;
        spec.inputs.push_back(value("x" + std::to_string(i), inputs[i], dtype, is_constant));
    }
    for (const PostOpCase& post : epilogue) {
        PostOpSpec added{post.op, {}, post.position};
        for (const auto& sizes : post.operands) {
            const std::string name = "operand" + std::to_string(graph.values().size());
            added.operands.push_back(value(name, sizes, DType::f32, post.constant));
        }
        spec.epilogue.push_back(std::move(added));
    }
    return graph.add(std::move(spec));
}

/// Normally distributed floats; integers that are rows of an Embedding's table, or below 100.
inline void fill_random(Tensor& tensor, const Node& node, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    if (tensor.dtype() == DType::f32) {
        for (float& value : tensor.data<float>()) value = normal(generator);
        return;
    }
    const auto* embedding = node.op.as<ops::Embedding>();
    const std::int64_t range = embedding != nullptr ? embedding->num_embeddings : 100;
    const auto fill_as = [&]<class T>(T) {
        for (T& value : tensor.data<T>()) value = static_cast<T>(generator() % static_cast<unsigned long>(range));
    };
    switch (size_of(tensor.dtype())) {
        case 8: tensor.dtype() == DType::f64 ? fill_as(double{}) : fill_as(std::int64_t{}); break;
        case 4: fill_as(std::int32_t{}); break;
        case 2: fill_as(std::int16_t{}); break;
        default: fill_as(std::int8_t{}); break;
    }
    if (tensor.dtype() == DType::boolean) {
        for (auto& value : tensor.data<std::int8_t>()) value = value % 2;
    }
}

/// Random numbers for input `index` of a node; variances are positive.
inline std::shared_ptr<Tensor> random_input(const Node& node, std::size_t index) {
    const Value& value = *node.inputs[index];
    auto tensor = std::make_shared<Tensor>(value.type.dtype, *value.type.shape.sizes());
    fill_random(*tensor, node, static_cast<unsigned>(index) + 1);
    if (value.name.ends_with("running_var")) {
        for (float& number : tensor->data<float>()) number = std::abs(number) + 0.5f;
    }
    return tensor;
}

}  // namespace seq::test
