#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/cpu/depthwise/rows.hpp"
#include "kernels/cpu/geometry.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu::depthwise {

/// A depthwise convolution over height and width, and how it is cut into tasks: some rows of a picture, or some columns
/// of the only one, in some of the channels.
struct Problem {
    std::int64_t batch = 0, channels = 0;  ///< the latter of the output
    std::int64_t multiplier = 1;           ///< how many of them each input channel gives
    std::int64_t in_height = 0, in_width = 0, out_height = 0, out_width = 0;
    std::int64_t kernel_height = 1, kernel_width = 1;
    std::int64_t stride_height = 1, stride_width = 1;
    std::int64_t dilation_height = 1, dilation_width = 1;
    std::int64_t pad_top = 0, pad_left = 0;
    int lanes = 16;

    std::int64_t task_rows = 1, task_columns = 1;
    std::int64_t task_channels = 0;

    std::int64_t row_parts() const { return divide_up(out_height, task_rows); }
    std::int64_t column_parts() const { return divide_up(out_width, task_columns); }
    std::int64_t channel_parts() const { return divide_up(channels, task_channels); }
    std::int64_t tasks() const { return batch * row_parts() * column_parts() * channel_parts(); }
    std::int64_t in_channels() const { return channels / multiplier; }
    /// Whether a kernel's numbers lie side by side and each channel has one output.
    bool plain() const { return dilation_height == 1 && dilation_width == 1 && multiplier == 1; }
    std::int64_t padded_channels() const { return (channels + lanes - 1) / lanes * lanes; }
    std::int64_t taps() const { return kernel_height * kernel_width; }
    double macs() const;

    /// The row of the input that the kernel's row `tap` meets for row `y` of the output; may be in the padding.
    std::int64_t line(std::int64_t y, std::int64_t tap) const {
        return y * stride_height - pad_top + tap * dilation_height;
    }
    /// Sets the taps of the row `y` of the output that lie in the input.
    void set_taps(Row& row, std::int64_t y) const;
    /// For each vector of a task's channels; empty where each channel has its own output.
    std::vector<Spread> spread() const;
    /// A row with all that does not depend on where it is.
    Row row_of(const SumEpilogue& epilogue) const;
};

/// nullopt where the node is no depthwise Conv1d or Conv2d.
std::optional<Problem> problem_of(const Node& node, const Placed& input, const Placed& output, Isa isa);

/// Sets the pieces for so many threads.
void cut_into_tasks(Problem& problem, int threads);

/// Kernels have at most so many rows.
inline constexpr std::int64_t max_kernel_height = 128;

/// Runs rows [first, last) of outputs. `row` is the first of them, `line_at(y)` where row y of the input begins.
template <class LineAt>
void run_rows(const Problem& problem, RowCode code, Row row, std::int64_t first, std::int64_t last,
              const LineAt& line_at) {
    std::array<const float*, max_kernel_height> lines;
    row.lines = lines.data();
    for (std::int64_t y = first; y < last; ++y, row.output += problem.out_width * row.out_stride) {
        problem.set_taps(row, y);
        for (std::int64_t tap = row.first_tap; tap < row.last_tap; ++tap)
            lines[static_cast<std::size_t>(tap)] = line_at(problem.line(y, tap));
        code(row);
    }
}

/// The node's weights as Row has them; empty where they are not known.
PackedWeights pack_layer(const Node& node, WeightProvider& provider, const Problem& problem);

}  // namespace seq::cpu::depthwise
