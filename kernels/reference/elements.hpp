#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "graph/shape.hpp"
#include "graph/tensor.hpp"

namespace seq::reference {

/// A position in each dimension; as many as the rank count.
using Index = std::array<std::int64_t, max_rank>;

/// Calls `body` with each index below `sizes`, the last dimension fastest; once where there is no dimension.
template <class F>
void for_each_index(std::span<const std::int64_t> sizes, F&& body) {
    for (const std::int64_t size : sizes) {
        if (size <= 0) return;
    }
    Index index{};
    for (;;) {
        body(index);
        std::size_t dim = sizes.size();
        while (dim > 0 && ++index[dim - 1] == sizes[dim - 1]) index[--dim] = 0;
        if (dim == 0) return;
    }
}

/// Where an element lies in a tensor with these strides; strides past the rank are 0.
inline std::int64_t offset_of(const Index& index, const Index& strides) {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < index.size(); ++i) offset += index[i] * strides[i];
    return offset;
}

/// The strides of dense row-major data.
inline Index dense_strides(std::span<const std::int64_t> sizes) {
    Index strides{};
    std::int64_t stride = 1;
    for (std::size_t i = sizes.size(); i-- > 0;) {
        strides[i] = stride;
        stride *= sizes[i];
    }
    return strides;
}

/// The strides that read `view` as broadcast to `rank` dimensions of these sizes: 0 where it is repeated.
inline Index broadcast_strides(const TensorView& view, int rank) {
    const Index own = dense_strides(view.sizes());
    Index strides{};
    for (int i = 0; i < view.rank; ++i) {
        const auto from = static_cast<std::size_t>(i);
        const auto to = static_cast<std::size_t>(rank - view.rank + i);
        strides[to] = view.shape[from] == 1 ? 0 : own[from];
    }
    return strides;
}

/// Product of sizes [first, last).
inline std::int64_t product(std::span<const std::int64_t> sizes, int first, int last) {
    std::int64_t result = 1;
    for (int i = first; i < last; ++i) result *= sizes[static_cast<std::size_t>(i)];
    return result;
}

/// Calls `body` with an unsigned integer as wide as an element: for ops that only move elements.
template <class F>
void dispatch_size(DType dtype, F&& body) {
    switch (size_of(dtype)) {
        case 1: return body(std::uint8_t{});
        case 2: return body(std::uint16_t{});
        case 4: return body(std::uint32_t{});
        default: return body(std::uint64_t{});
    }
}

/// Calls `body` with a value of the element type, of those that can be computed with: f32, f64 and the integers.
template <class F>
void dispatch_number(DType dtype, F&& body) {
    switch (dtype) {
        case DType::i64: return body(std::int64_t{});
        case DType::i32: return body(std::int32_t{});
        case DType::i8: return body(std::int8_t{});
        case DType::u8:
        case DType::boolean: return body(std::uint8_t{});
        case DType::f64: return body(double{});
        default: return body(float{});
    }
}

/// Copies to dense `to` the elements of `from` that lie `strides` apart.
inline void gather(const TensorView& from, const TensorView& to, std::span<const std::int64_t> sizes,
                   const Index& strides, std::int64_t first = 0) {
    dispatch_size(to.dtype, [&](auto element) {
        using T = decltype(element);
        const T* source = from.as<T>() + first;
        T* target = to.as<T>();
        for_each_index(sizes, [&](const Index& index) { *target++ = source[offset_of(index, strides)]; });
    });
}

}  // namespace seq::reference
