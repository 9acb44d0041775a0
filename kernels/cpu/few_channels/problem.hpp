#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/window_axis.hpp"

namespace seq::cpu::few_channels {

/// Windows of a picture: rows [first_row, first_row + row_count) by columns.
struct Part {
    std::int64_t picture = 0;
    std::int64_t first_row = 0, row_count = 1;
    std::int64_t first_column = 0, column_count = 1;
};

/// A convolution of planes, and how it is cut into tasks: some rows of windows of a picture, or some columns of a row
/// where there are few rows. A task copies what they read, padding included. In one dimension there is one row.
struct Problem {
    std::int64_t batch = 0, in_channels = 0, out_channels = 0;
    WindowAxis rows, columns;
    int lanes = 16;

    std::int64_t task_rows = 1;
    std::int64_t task_columns = 1;

    std::int64_t taps() const { return in_channels * rows.kernel * columns.kernel; }
    std::int64_t panels() const { return divide_up(out_channels, 2 * lanes); }
    std::int64_t row_parts() const { return divide_up(rows.out, task_rows); }
    std::int64_t column_parts() const { return divide_up(columns.out, task_columns); }
    std::int64_t tasks() const { return batch * row_parts() * column_parts(); }
    Part part(std::int64_t task) const;
    double macs() const;
    bool pads() const;
    /// In floats, of a row and of a plane of the copy.
    std::int64_t copy_width() const { return columns.span(task_columns); }
    std::int64_t copy_plane() const { return rows.span(task_rows) * copy_width(); }
    std::int64_t copy_floats() const { return in_channels * copy_plane(); }
    /// Where in the copy the numbers of a window are: channels, then rows, then columns.
    std::vector<std::int64_t> tap_offsets() const;
};

/// Sets the pieces for so many threads.
void cut_into_tasks(Problem& problem, int threads);

/// Copies what a part reads of the planes of its picture, [in_channels, height, width].
void copy_planes(const Problem& problem, const float* picture, const Part& part, float* target);

/// Dense [out_channels, taps] as panels: [tap][2 · lanes], the last one of a single vector where that is enough.
void pack_panels(const Problem& problem, const float* weights, float* packed);

}  // namespace seq::cpu::few_channels
