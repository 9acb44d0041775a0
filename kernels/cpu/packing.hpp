#pragma once

#include <cstdint>
#include <functional>

#include "kernels/kernel.hpp"

namespace seq::cpu {

/// `count` floats, all of which `fill` writes.
PackedWeights keep_floats(std::int64_t count, const std::function<void(float*)>& fill);

/// The numbers of the node's parameter "bias" with zeros after them up to `padded`; all zeros where it has none, and
/// empty where they are not known.
PackedWeights pack_bias(const Node& node, WeightProvider& provider, std::int64_t padded);

}  // namespace seq::cpu
