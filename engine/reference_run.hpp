#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "graph/ir.hpp"

namespace seq {

/// Every result of a graph by the name that users know it by, as plain loops compute it.
using ReferenceResults = std::map<std::string, Tensor, std::less<>>;

/// Is told of a node before it is computed, with its first input: weights that only it and later ones read may change.
using BeforeNode = std::function<void(const Node& node, const TensorView& input)>;

/// Runs a graph whose sizes are bound, node by node, on the reference kernels, in f32. `inputs` by name. Throws
/// seq::Error: weights/missing, device/unavailable where an op has no reference kernel.
ReferenceResults run_reference(const Graph& graph, const std::shared_ptr<const WeightSource>& weights,
                               const std::map<std::string, TensorView>& inputs, const BeforeNode& before = {});

/// The largest absolute difference divided by the largest magnitude in `expected`; infinite where sizes or dtypes
/// differ, or where one is NaN or infinite and the other is not the same.
double relative_difference(const TensorView& actual, const TensorView& expected);

/// The same with the norms of difference and of `expected` in place of the largest: how far apart they are as a whole.
double relative_distance(const TensorView& actual, const TensorView& expected);

}  // namespace seq
