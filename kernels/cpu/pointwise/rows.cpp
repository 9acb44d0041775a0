#include "kernels/cpu/pointwise/rows.hpp"

#include <algorithm>

#include "kernels/cpu/geometry.hpp"

namespace seq::cpu::pointwise {

std::int64_t Rows::input_pixel(std::int64_t row) const {
    const std::int64_t x = row % out_sizes[2], line = row / out_sizes[2];
    const std::int64_t y = line % out_sizes[1], plane = line / out_sizes[1];
    const std::int64_t z = plane % out_sizes[0], picture = plane / out_sizes[0];
    const std::int64_t in_plane = picture * in_sizes[0] + z * strides[0];
    return (in_plane * in_sizes[1] + y * strides[1]) * in_sizes[2] + x * strides[2];
}

std::int64_t Rows::offset(std::int64_t pixel, int lanes) const {
    if (!blocked) return pixel * channels;
    const std::int64_t pixels = product(in_sizes);
    return (pixel / pixels * divide_up(channels, lanes) * pixels + pixel % pixels) * lanes;
}

void Rows::copy(const Code& code, const float* input, std::int64_t first, std::int64_t count, const Prologue& prologue,
                float* target, std::int64_t target_stride) const {
    const std::int64_t line = contiguous() ? first + count : out_sizes[2];
    RowCopy part;
    part.stride = strides[2] * (blocked ? code.lanes : channels);
    part.vector_stride = blocked ? product(in_sizes) * code.lanes : code.lanes;
    part.channels = channels;
    part.prologue = prologue;
    part.target = target;
    part.target_stride = target_stride;
    while (count > 0) {
        part.rows = input + offset(input_pixel(first), code.lanes);
        part.count = std::min(count, line - first % line);
        code.copy(part);
        first += part.count;
        count -= part.count;
        part.target += part.count * target_stride;
    }
}

}  // namespace seq::cpu::pointwise
