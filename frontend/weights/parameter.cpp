#include "frontend/weights/parameter.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "frontend/io/quoted_name.hpp"
#include "frontend/weights/normalize.hpp"
#include "graph/convert.hpp"
#include "graph/diagnostic.hpp"

namespace seq {

void read_parameter(const WeightSource& source, const WeightSource::Entry& entry, DType dtype,
                    std::span<std::byte> out) {
    const std::size_t count = static_cast<std::size_t>(byte_count_of(entry)) / size_of(entry.dtype);
    if (out.size() != count * size_of(dtype)) {
        throw std::invalid_argument(fmt::format("{} takes {} bytes, and the buffer has {}", quoted_name(entry.name),
                                                count * size_of(dtype), out.size()));
    }
    if (entry.dtype == dtype) return source.read(entry, out);
    if (!is_float(entry.dtype) || !is_float(dtype)) {
        throw Error("weights/dtype", fmt::format("{} is {} in {}, and {} is needed", quoted_name(entry.name),
                                                 name_of(entry.dtype), source.description(), name_of(dtype)));
    }
    std::byte* target = out.data();
    source.stream(entry, [&](std::span<const std::byte> piece) {
        const std::size_t elements = piece.size() / size_of(entry.dtype);
        convert_floats(piece.data(), entry.dtype, target, dtype, elements);
        target += elements * size_of(dtype);
    });
}

}  // namespace seq
