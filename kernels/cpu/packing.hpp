#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "graph/tensor.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu {

/// A tensor that was laid out for a kernel.
PackedWeights keep_tensor(std::shared_ptr<Tensor> tensor);

/// `count` floats, all of which `fill` writes.
PackedWeights keep_floats(std::int64_t count, const std::function<void(float*)>& fill);

/// The numbers of the node's parameter "bias" with zeros after them up to `padded`; all zeros where it has none, and
/// empty where they are not known.
PackedWeights pack_bias(const Node& node, WeightProvider& provider, std::int64_t padded);

}  // namespace seq::cpu
