#include "kernels/cpu/direct/copy.hpp"

#include <algorithm>

namespace seq::cpu::direct {

BlockCopy::BlockCopy(const Problem& problem, const pointwise::Code& code)
    : lines_(problem.lines),
      columns_(problem.columns),
      channels_(problem.in_channels),
      stride_(problem.copy_stride()),
      code_(&code),
      copied_(copied_lines(problem.lines, problem.copy_lines())) {
    for (const std::int64_t slot : copied_.tap_slots) {
        for (std::int64_t x = 0; x < columns_.kernel; ++x)
            tap_offsets_.push_back((x * copied_.slots + slot) * columns_.out * stride_);
    }
}

void BlockCopy::copy(const float* picture, std::int64_t first_line, float* target) const {
    const std::int64_t line_floats = columns_.out * stride_;
    for (std::int64_t tap = 0; tap < columns_.kernel; ++tap) {
        for (const LineRun& run : copied_.runs) {
            float* to = target + (tap * copied_.slots + run.slot) * line_floats;
            const std::int64_t line = lines_.input_of(first_line, 0) + run.first;
            if (columns_.is_single()) {  // lines of one pixel are copied together
                copy_pixels(picture, lines_, line, run.count, to);
                continue;
            }
            for (std::int64_t i = 0; i < run.count; ++i, to += line_floats) {
                const std::int64_t y = line + i * lines_.stride;
                if (y < 0 || y >= lines_.in) {
                    std::fill_n(to, line_floats, 0.0f);
                } else {
                    copy_pixels(picture + y * columns_.in * channels_, columns_, columns_.input_of(0, tap),
                                columns_.out, to);
                }
            }
        }
    }
}

/// `count` pixels from position `first` on, a stride apart.
void BlockCopy::copy_pixels(const float* line, const Axis& axis, std::int64_t first, std::int64_t count,
                            float* target) const {
    const std::int64_t before =
        std::clamp<std::int64_t>(divide_up(std::max<std::int64_t>(-first, 0), axis.stride), 0, count);
    const std::int64_t end =
        std::clamp(divide_up(std::max<std::int64_t>(axis.in - first, 0), axis.stride), before, count);
    std::fill_n(target, before * stride_, 0.0f);
    if (end > before) {
        pointwise::RowCopy pixels;
        pixels.rows = line + (first + before * axis.stride) * channels_;
        pixels.stride = axis.stride * channels_;
        pixels.vector_stride = code_->lanes;
        pixels.count = end - before;
        pixels.channels = channels_;
        pixels.target = target + before * stride_;
        pixels.target_stride = stride_;
        code_->copy(pixels);
    }
    std::fill_n(target + end * stride_, (count - end) * stride_, 0.0f);
}

}  // namespace seq::cpu::direct
