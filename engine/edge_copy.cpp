#include "engine/edge_copy.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "graph/convert_tensor.hpp"

namespace seq {

bool is_direct(const TensorView& view, DType wanted) {
    return view.dtype == wanted && view.is_dense() &&
           reinterpret_cast<std::uintptr_t>(view.data) % size_of(view.dtype) == 0;
}

void copy_elements(const TensorView& from, const TensorView& to) {
    const auto bytes = static_cast<std::int64_t>(size_of(from.dtype));
    const std::int64_t count = from.element_count();
    if (from.is_dense() && to.is_dense()) {
        if (count > 0) std::memcpy(to.data, from.data, static_cast<std::size_t>(count * bytes));
        return;
    }
    std::array<std::int64_t, max_rank> index{};
    const auto* source = static_cast<const std::byte*>(from.data);
    auto* target = static_cast<std::byte*>(to.data);
    for (std::int64_t done = 0; done < count; ++done) {
        std::memcpy(target, source, static_cast<std::size_t>(bytes));
        for (int d = from.rank - 1; d >= 0; --d) {
            const auto i = static_cast<std::size_t>(d);
            source += from.strides[i] * bytes;
            target += to.strides[i] * bytes;
            if (++index[i] < from.shape[i]) break;
            source -= from.strides[i] * bytes * from.shape[i];
            target -= to.strides[i] * bytes * to.shape[i];
            index[i] = 0;
        }
    }
}

void fetch_elements(const TensorView& callers, const TensorView& native, const TensorView& port) {
    const bool converts = callers.dtype != port.dtype;
    copy_elements(callers, converts ? native : port);
    if (converts) convert(native, port);
}

void deliver_elements(const TensorView& port, const TensorView& native, const TensorView& callers) {
    const bool converts = callers.dtype != port.dtype;
    if (converts) convert(port, native);
    copy_elements(converts ? native : port, callers);
}

ByteRange byte_range(const TensorView& view) {
    const auto bytes = static_cast<std::int64_t>(size_of(view.dtype));
    std::int64_t low = 0;
    std::int64_t high = bytes;
    for (int d = 0; d < view.rank; ++d) {
        const auto i = static_cast<std::size_t>(d);
        if (view.shape[i] == 0) return {};
        const std::int64_t reach = (view.shape[i] - 1) * view.strides[i] * bytes;
        (reach < 0 ? low : high) += reach;
    }
    const auto* data = static_cast<const std::byte*>(view.data);
    return {data + low, data + high};
}

}  // namespace seq
