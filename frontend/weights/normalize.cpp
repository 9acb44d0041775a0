#include "frontend/weights/normalize.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "frontend/io/quoted_name.hpp"

namespace seq {

std::uint64_t byte_count_of(const WeightSource::Entry& entry) {
    return TensorView::dense(nullptr, entry.dtype, entry.sizes).byte_count();
}

void check_byte_count(const WeightSource::Entry& entry, std::size_t given) {
    const std::uint64_t needed = byte_count_of(entry);
    if (given == needed) return;
    throw std::invalid_argument(
        fmt::format("{} takes {} bytes, and the buffer has {}", quoted_name(entry.name), needed, given));
}

void normalize_elements(DType dtype, std::span<std::byte> bytes) {
    if (dtype != DType::boolean) return;
    for (std::byte& byte : bytes) byte = std::byte{byte != std::byte{0}};
}

}  // namespace seq
