#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/window_axis.hpp"

namespace seq::cpu::grouped {

/// What a task computes: windows of a picture, and for which units.
struct Part {
    std::int64_t picture = 0;
    std::int64_t first_line = 0, lines = 1;
    std::int64_t first_column = 0, columns = 1;
    std::int64_t first_unit = 0, units = 1;
};

/// A convolution in groups, and how it is cut into tasks: some groups of some windows of a picture. A task copies what
/// it reads, padding included, so that its channels lie close together. In one dimension there is one line.
struct Problem {
    std::int64_t batch = 0, groups = 1, group_in = 0, group_out = 0;
    WindowAxis lines, columns;
    int lanes = 16;
    /// Whether a vector holds several groups, of 4 channels each.
    bool side_by_side = false;

    /// Whether channels lie in blocks of a vector, in the input or in the output; units then have whole blocks.
    bool blocked_in = false, blocked_out = false;

    std::int64_t task_lines = 1, task_columns = 1, task_units = 1;

    std::int64_t in_channels() const { return groups * group_in; }
    std::int64_t out_channels() const { return groups * group_out; }
    /// Groups that are computed together, and how many there are.
    std::int64_t unit_groups() const { return side_by_side ? lanes / 4 : 1; }
    std::int64_t units() const { return groups / unit_groups(); }
    std::int64_t unit_in() const { return unit_groups() * group_in; }
    std::int64_t unit_out() const { return unit_groups() * group_out; }
    /// Vectors of output channels of a unit.
    std::int64_t panels() const { return divide_up(unit_out(), lanes); }
    std::int64_t panel_floats() const { return lines.kernel * group_in * columns.kernel * lanes; }

    std::int64_t line_parts() const { return divide_up(lines.out, task_lines); }
    std::int64_t column_parts() const { return divide_up(columns.out, task_columns); }
    std::int64_t unit_parts() const { return divide_up(units(), task_units); }
    std::int64_t tasks() const { return batch * line_parts() * column_parts() * unit_parts(); }
    Part part(std::int64_t task) const;
    double macs() const;
    bool pads() const;
    /// In floats, of a pixel and of a line of the copy.
    std::int64_t copy_pixel() const { return round_up(task_units * unit_in(), 16); }
    std::int64_t copy_line() const { return columns.span(task_columns) * copy_pixel(); }
    std::int64_t copy_floats() const { return lines.span(task_lines) * copy_line(); }
    /// Where in the copy the lines of a window are.
    std::vector<std::int64_t> line_offsets() const;
    /// In floats, in the output: between windows, and of a window from `channel` on, which begins a vector.
    std::int64_t output_stride() const { return blocked_out ? lanes : out_channels(); }
    std::int64_t output_at(std::int64_t picture, std::int64_t line, std::int64_t column, std::int64_t channel) const;
};

/// Sets the pieces for so many threads.
void cut_into_tasks(Problem& problem, int threads);

/// Copies what a part reads of the input.
void copy_pixels(const Problem& problem, const float* input, const Part& part, float* target);

/// The dense [unit_out, group_in, height, width] of a unit as panels, [line][channel][column][lanes].
void pack_unit(const Problem& problem, const float* weights, float* packed);

}  // namespace seq::cpu::grouped
