#pragma once

#include "graph/tensor.hpp"

namespace seq {

/// The dtype of a port in a plan: floats are f32, whatever the caller's dtype.
inline DType compute_dtype(DType dtype) { return is_float(dtype) ? DType::f32 : dtype; }

/// Whether a kernel may read or write the view as it is: dense, aligned to its element, of dtype `wanted`.
bool is_direct(const TensorView& view, DType wanted);

/// Copies element by element between views of equal sizes and dtype, whatever their strides and alignment.
void copy_elements(const TensorView& from, const TensorView& to);

/// Copies a caller's elements to a dense port, and back, which may be of another dtype: then through `native`, which is
/// dense and of the caller's, and is not touched otherwise.
void fetch_elements(const TensorView& callers, const TensorView& native, const TensorView& port);
void deliver_elements(const TensorView& port, const TensorView& native, const TensorView& callers);

/// The bytes [first, last) that a view may touch; empty where it has no elements.
struct ByteRange {
    const std::byte* first = nullptr;
    const std::byte* last = nullptr;
    bool overlaps(const ByteRange& other) const { return first < other.last && other.first < last; }
};
ByteRange byte_range(const TensorView& view);

}  // namespace seq
