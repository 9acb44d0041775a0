#include "graph/convert_tensor.hpp"

#include <cstring>

#include "graph/convert.hpp"

namespace seq {

bool convert(const TensorView& from, const TensorView& to) {
    const auto count = static_cast<std::size_t>(from.element_count());
    if (from.dtype == to.dtype) {
        if (count > 0) std::memcpy(to.data, from.data, from.byte_count());
        return true;
    }
    if (!is_float(from.dtype) || !is_float(to.dtype)) return false;
    convert_floats(from.data, from.dtype, to.data, to.dtype, count);
    return true;
}

}  // namespace seq
