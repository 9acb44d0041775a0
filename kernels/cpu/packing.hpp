#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "graph/tensor.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu {

/// `bytes` bytes, aligned to 64 and zero, into which `fill` writes.
PackedWeights keep_bytes(std::size_t bytes, const std::function<void(void*)>& fill);

/// `count` floats, all of which `fill` writes.
PackedWeights keep_floats(std::int64_t count, const std::function<void(float*)>& fill);

/// How a weight is packed some rows at a time.
struct RowPacking {
    std::int64_t floats = 0;  ///< of all that is packed
    std::int64_t step = 1;    ///< rows at a time, the last time perhaps fewer
    /// Whether weights that hold NaN, Inf or numbers near overflow are refused.
    bool tame = false;
    /// Writes what becomes of rows [first, first + count). Several threads call it.
    std::function<void(const float* rows, std::int64_t first, std::int64_t count, float* packed)> pack;
};

/// The weight as `packing` packs it, in the calling thread's arena, kept under `key`; empty where it is refused.
PackedWeights pack_rows(const Value& weight, WeightProvider& provider, const std::string& key,
                        const RowPacking& packing);

/// The numbers of the node's parameter "bias" with zeros after them up to `padded`; all zeros where it has none, and
/// empty where they are not known.
PackedWeights pack_bias(const Node& node, WeightProvider& provider, std::int64_t padded);

}  // namespace seq::cpu
