#pragma once

#include <optional>
#include <string>

#include "kernels/cpu/onednn/library.hpp"

namespace seq::onednn {

using Dims = dnnl::memory::dims;
using MemoryDesc = dnnl::memory::desc;

/// nullopt where oneDNN has no such type (f64, i64, bool).
std::optional<dnnl::memory::data_type> data_type_of(DType dtype);

/// The value as it lies in memory. A scalar is of shape {1}; `dtype` must have a data type.
MemoryDesc describe(const Placed& placed);

/// A dense row-major value.
MemoryDesc describe_plain(const Dims& dims, DType dtype = DType::f32);

/// The same value in whatever layout a primitive likes best.
MemoryDesc describe_any(const Dims& dims, DType dtype = DType::f32);

/// Which of our layouts `desc` is, for a value of these sizes that is kept as `value` is; nullopt where it is none.
std::optional<Layout> layout_of(const MemoryDesc& desc, const Placed& value);

/// A text that is equal where the memory is laid out alike: a key for packed weights.
std::string key_of(const MemoryDesc& desc);

/// The numbers of `value`, which lie as `from` has it, as `to` has it; kept by the provider.
PackedWeights pack(WeightProvider& provider, const Value& value, const MemoryDesc& from, const MemoryDesc& to);

}  // namespace seq::onednn
