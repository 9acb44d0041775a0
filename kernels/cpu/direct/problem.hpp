#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/geometry.hpp"

namespace seq::cpu::direct {

/// [first, end), which may be empty.
struct Range {
    std::int64_t first = 0, end = 0;

    std::int64_t count() const { return end - first; }
    Range within(const Range& other) const;
};

/// Windows over one spatial dimension.
struct Axis {
    std::int64_t in = 1, out = 1;
    std::int64_t kernel = 1, stride = 1, dilation = 1, pad = 0;

    /// Where in the input a window's tap lies; outside of it in the padding.
    std::int64_t input_of(std::int64_t window, std::int64_t tap) const {
        return window * stride + tap * dilation - pad;
    }
    /// Whether its one window is the whole of it.
    bool is_single() const { return in == 1 && out == 1 && kernel == 1 && pad == 0; }
    /// The windows that touch no padding.
    Range inner() const;
};

/// Lines of the input that lie in a copy one after the other.
struct LineRun {
    std::int64_t slot = 0, count = 0;
    /// Counted from the first tap of the block's first window on; the next ones are a stride further.
    std::int64_t first = 0;
};

/// Where the lines of a block of windows lie in a copy, so that those of each tap follow each other.
struct CopiedLines {
    std::vector<LineRun> runs;
    std::vector<std::int64_t> tap_slots;  ///< of the first window's line
    std::int64_t slots = 0;
};
CopiedLines copied_lines(const Axis& lines, std::int64_t windows);

/// Taps of a panel, or some of the channels of one tap, that tiles of rows take one after the other while the next are
/// fetched.
struct Chunk {
    std::int64_t first_tap = 0, taps = 1;
    std::int64_t first_channel = 0, channels = 0;
};

/// A convolution as a product of matrices: the pixels of a block of lines, times panels of weights. For each tap of a
/// line, the inputs of a block are copied side by side, so that the rows of every tap are the same distance apart. In
/// lines of one pixel they are so in the input too: windows that touch no padding are read where they lie. Groups share
/// the copy, and have panels of their own.
struct Problem {
    std::int64_t batch = 0, in_channels = 0, out_channels = 0;
    Axis lines, columns;
    int lanes = 16;
    std::int64_t groups = 1;

    std::int64_t block_lines = 1;
    std::int64_t task_panels = 1;

    std::int64_t taps() const { return lines.kernel * columns.kernel; }
    std::int64_t pixels() const { return batch * lines.out * columns.out; }
    std::int64_t group_in() const { return in_channels / groups; }
    std::int64_t group_out() const { return out_channels / groups; }
    std::int64_t group_panels() const { return divide_up(group_out(), 2 * lanes); }
    std::int64_t panels() const { return groups * group_panels(); }
    /// Of a panel.
    std::int64_t first_channel(std::int64_t panel) const {
        return panel / group_panels() * group_out() + panel % group_panels() * 2 * lanes;
    }
    std::int64_t picture_blocks() const { return divide_up(lines.out, block_lines); }
    std::int64_t column_parts() const { return divide_up(panels(), task_panels); }
    std::int64_t tasks() const { return batch * picture_blocks() * column_parts(); }
    double macs() const;
    bool pads() const;

    /// The lines of windows that are read where they lie, if any are: those that touch no padding, but for a few where
    /// there are others beside them.
    Range inner_lines() const;
    /// Whether most windows are read where they lie.
    bool in_place() const;
    /// How many lines of windows a copy holds: where some are read in place those at an end.
    std::int64_t copy_lines() const;
    /// In floats, between pixels of a copy: apart from powers of two, at which they meet in one set of a cache.
    std::int64_t copy_stride() const { return round_up(in_channels, lanes) + lanes; }
    /// Allocates, as what follows does: for when a kernel is prepared.
    std::int64_t copy_floats() const {
        return columns.kernel * copied_lines(lines, copy_lines()).slots * columns.out * copy_stride();
    }
    /// In floats, what stays in a cache while the panels pass: a copy, or the block's part of the input.
    std::int64_t block_floats() const { return in_place() ? block_lines * lines.stride * in_channels : copy_floats(); }
    std::int64_t sums_floats() const { return block_lines * columns.out * 2 * lanes; }
    std::vector<Chunk> chunks() const;
};

/// Sets the pieces for so many threads.
void cut_into_tasks(Problem& problem, int threads);

}  // namespace seq::cpu::direct
