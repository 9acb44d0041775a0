#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "graph/tensor.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu {

/// `bytes` bytes, aligned to 64 and zero, into which `fill` writes.
PackedWeights keep_bytes(std::size_t bytes, const std::function<void(void*)>& fill);

/// `count` floats, all of which `fill` writes.
PackedWeights keep_floats(std::int64_t count, const std::function<void(float*)>& fill);

/// Calls `pack` for `step` rows at a time, the last time perhaps for fewer, in the calling thread's arena. False, with
/// some left out, where `tame` is set and the weight holds NaN, Inf or numbers near overflow.
bool pack_by_rows(const WeightRows& rows, std::int64_t step, bool tame,
                  const std::function<void(const float* data, std::int64_t first, std::int64_t count)>& pack);

/// The numbers of the node's parameter "bias" with zeros after them up to `padded`; all zeros where it has none, and
/// empty where they are not known.
PackedWeights pack_bias(const Node& node, WeightProvider& provider, std::int64_t padded);

}  // namespace seq::cpu
