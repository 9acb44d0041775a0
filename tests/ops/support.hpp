#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "graph/infer.hpp"
#include "graph/op_table.hpp"
#include "graph/tensor.hpp"

namespace seq::tests {

TensorType f32(Shape shape);

/// Applies the rule; symbols have the range of `ranges`, each of which counts as given by the user.
Inference infer_types(Op op, std::vector<TensorType> inputs, const SymbolRanges& ranges = {}, bool explaining = false);
Inference infer_shape(Op op, Shape shape, const SymbolRanges& ranges = {}, bool explaining = false);

/// The codes of the faults, notes left out: "shape/rank", "shape/empty, spec/value", "".
std::string codes(const Inference& inference);

/// The output's shape, "[N, 3, 4]".
std::string output_shape(const Inference& inference);

/// The parameters, "weight[4, 3] bias[4]".
std::string parameters(const Inference& inference);

/// The layer of a seq/1 file, its fields checked.
Op parse_layer(const nlohmann::json& layer);

/// How an op's plain kernel gets a parameter.
using ParameterOf = std::function<Tensor(const ParameterSpec&)>;

/// Infers and runs the op's plain kernel; requires that there is no fault.
std::vector<Tensor> run_reference(const Op& op, const std::vector<TensorView>& inputs, const ParameterOf& parameter);

/// The same numbers as f32 or f64.
Tensor convert_to(DType dtype, const TensorView& tensor);

/// Requires equal sizes and elements that differ by at most `tolerance` of the largest magnitude in `expected`; NaN
/// equals NaN.
void check_close(const TensorView& actual, const TensorView& expected, double tolerance);

}  // namespace seq::tests
