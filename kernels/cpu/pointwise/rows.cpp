#include "kernels/cpu/pointwise/rows.hpp"

#include <algorithm>

namespace seq::cpu::pointwise {

std::int64_t Rows::input_pixel(std::int64_t row) const {
    const std::int64_t x = row % out_sizes[2], line = row / out_sizes[2];
    const std::int64_t y = line % out_sizes[1], plane = line / out_sizes[1];
    const std::int64_t z = plane % out_sizes[0], picture = plane / out_sizes[0];
    const std::int64_t in_plane = picture * in_sizes[0] + z * strides[0];
    return (in_plane * in_sizes[1] + y * strides[1]) * in_sizes[2] + x * strides[2];
}

void Rows::copy(const Code& code, const float* input, std::int64_t first, std::int64_t count, const Prologue& prologue,
                float* target, std::int64_t target_stride) const {
    const std::int64_t line = contiguous() ? first + count : out_sizes[2];
    while (count > 0) {
        const std::int64_t part = std::min(count, line - first % line);
        code.copy(input + input_pixel(first) * channels, strides[2] * channels, part, channels, prologue, target,
                  target_stride);
        first += part;
        count -= part;
        target += part * target_stride;
    }
}

}  // namespace seq::cpu::pointwise
