#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/cpu/geometry.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu::transposed {

/// [first, end), which may be empty.
struct Range {
    std::int64_t first = 0, end = 0;

    std::int64_t count() const { return end - first; }
};

/// One spatial dimension: through tap k, input i gives to output i · stride + k · dilation - pad.
struct Axis {
    std::int64_t in = 1, out = 1;
    std::int64_t kernel = 1, stride = 1, dilation = 1, pad = 0;

    /// All that these outputs read, and what lies between; may reach beyond the input.
    Range inputs_of(const Range& outputs) const;
    /// The most inputs that so many outputs in a row read.
    std::int64_t span(std::int64_t outputs) const { return (outputs - 1 + reach()) / stride + 1; }
    /// Between the first tap and the last one.
    std::int64_t reach() const { return (kernel - 1) * dilation; }
    /// The most taps that one output has.
    std::int64_t most_taps() const;
    /// Whether what an output reads lies side by side.
    bool side_by_side() const;
};

/// The outputs at `position`, and each stride further: a convolution of stride 1 over the taps that they have in
/// common. What a tap reads for the first of them, those after it read one further each.
struct Phase {
    std::int64_t position = 0;
    /// How many taps the phases before it have.
    std::int64_t first_tap = 0;
    std::vector<std::int64_t> taps;
    /// Of each tap for the first output, ascending; may lie beyond the input.
    std::vector<std::int64_t> inputs;

    std::int64_t tap_count() const { return static_cast<std::int64_t>(taps.size()); }
    /// Which of its outputs lie in `outputs`, counted in strides.
    Range steps_in(const Range& outputs, std::int64_t stride) const {
        return {(outputs.first + stride - 1 - position) / stride, (outputs.end + stride - 1 - position) / stride};
    }
    /// The taps that read inputs of [0, in) for the output of step `step`.
    Range taps_inside(std::int64_t step, std::int64_t in) const;
};

/// Those that have outputs. Each tap belongs to one at most.
std::vector<Phase> phases_of(const Axis& axis);

/// Pixels of the input that are multiplied before their products are added up: whole tiles.
inline constexpr std::int64_t scattered_pixels = 84;
/// Lines of taps that a scattered one has at most.
inline constexpr std::int64_t most_scattered_lines = 32;
/// Windows reach no further.
inline constexpr std::int64_t most_reach = 1 << 16;
/// Of what a task copies or sums up; more is no line that a cache holds.
inline constexpr std::int64_t most_copy_floats = std::int64_t{1} << 20;

/// A transposed convolution as convolutions of stride 1, one for each phase of lines and of columns. A task is a block
/// of outputs in some of the channels: products of matrices by the tiles of pointwise/, whose rows are the pixels of a
/// phase in a line, from a copy with zeros on both sides of it; or, where each channel is a group, sums by the rows of
/// depthwise/, read in place; or, where there are few output channels, products of the inputs' pixels by all taps at
/// once, which are then added up.
struct Problem {
    std::int64_t batch = 0, in_channels = 0, out_channels = 0, groups = 1;
    Axis lines, columns;
    int lanes = 16;
    /// Of a convolution of stride 1: the transposed one that it is has its taps in reverse order.
    bool reversed = false;

    std::int64_t block_lines = 1, block_columns = 1;
    std::int64_t task_panels = 1;

    std::int64_t taps() const { return lines.kernel * columns.kernel; }
    std::int64_t pixels() const { return batch * lines.out * columns.out; }
    std::int64_t group_in() const { return in_channels / groups; }
    std::int64_t group_out() const { return out_channels / groups; }
    double macs() const;
    bool near() const { return std::max(lines.reach(), columns.reach()) <= most_reach; }
    /// Whether the rows of depthwise/ compute it.
    bool depthwise() const;
    /// Whether outputs are so few that a vector is filled by those of all taps, of which lines lie side by side.
    bool scattered() const;
    /// Whether zeros beside the lines of the input are multiplied.
    bool pads() const;

    std::int64_t group_panels() const { return divide_up(group_out(), 2 * lanes); }
    /// Of a depthwise one channels side by side, whatever their groups.
    std::int64_t panels() const { return depthwise() ? divide_up(out_channels, 2 * lanes) : groups * group_panels(); }
    /// Of a scattered one, what a pixel of the input gives: [tap line][tap column][out_channels].
    std::int64_t products() const { return taps() * out_channels; }
    /// Of a panel that is not of a depthwise one.
    std::int64_t first_channel(std::int64_t panel) const {
        return panel / group_panels() * group_out() + panel % group_panels() * 2 * lanes;
    }
    /// In floats, of the weights of a group.
    std::int64_t group_floats() const { return group_in() * taps() * round_up(group_out(), lanes); }
    /// Where the weights of the taps that two phases have in common begin, counted in taps.
    std::int64_t first_tap(const Phase& line, const Phase& column) const {
        return line.first_tap * columns.kernel + line.tap_count() * column.first_tap;
    }

    std::int64_t line_blocks() const { return divide_up(lines.out, block_lines); }
    std::int64_t column_blocks() const { return divide_up(columns.out, block_columns); }
    std::int64_t panel_parts() const { return divide_up(panels(), task_panels); }
    std::int64_t tasks() const { return batch * line_blocks() * column_blocks() * panel_parts(); }

    /// In floats, between pixels of a copy: apart from powers of two, at which they meet in one set of a cache.
    std::int64_t copy_stride() const { return round_up(in_channels, lanes) + lanes; }
    std::int64_t copy_line_floats() const { return columns.span(block_columns) * copy_stride(); }
    std::int64_t copy_floats() const {
        if (scattered()) return block_lines * sums_line_floats() + scattered_pixels * products_stride() + lanes;
        return depthwise() ? 0 : lines.span(block_lines) * copy_line_floats();
    }
    /// In floats, of the sums of a line of a block, with what taps reach on both sides of it, and room for a vector.
    std::int64_t sums_line_floats() const { return (block_columns + 2 * columns.reach()) * out_channels + lanes; }
    std::int64_t products_stride() const { return round_up(products(), lanes); }
};

/// nullopt where the node is no transposed convolution of one or two dimensions. In one dimension there is one line.
std::optional<Problem> problem_of(const KernelRequest& request);

/// nullopt where the node is no convolution of one or two dimensions of stride 1 in one group, padded with zeros.
std::optional<Problem> problem_of_convolution(const KernelRequest& request);

/// Sets the pieces for so many threads.
void cut_into_tasks(Problem& problem, int threads);

/// The parameter "weight", dense [in_channels, out_channels / groups, taps...], of a convolution [out_channels,
/// in_channels, taps...], with the taps in the order of Problem::first_tap. Of a depthwise one
/// [channels / lanes][tap][lanes]; of a scattered one panels of [channel][2 · lanes] of Problem::products; else panels
/// of [tap][channel][2 · lanes], those of a group after the other's. Empty where it is not known, or holds NaN, Inf or
/// numbers near overflow that zeros would meet.
PackedWeights pack_weights(const Problem& problem, const Node& node, WeightProvider& provider);

}  // namespace seq::cpu::transposed
