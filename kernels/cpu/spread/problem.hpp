#pragma once

#include <cstdint>
#include <optional>

#include "kernels/cpu/geometry.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu::spread {

/// A transposed convolution whose windows fill the output side by side, as products of matrices: for each line of a
/// window, the pixels of an input line times weights whose columns are the pixels of the window's line, which lie one
/// after the other in the output, [window column][output channel]. Where channels lie in blocks there is one such
/// product for each block.
struct Problem {
    std::int64_t batch = 0, height = 1, width = 1;  ///< of the input
    std::int64_t in_channels = 0, out_channels = 0;
    std::int64_t window_height = 1, window_width = 1;
    int lanes = 16;
    bool blocked_in = false, blocked_out = false;
    /// Lines of the input that one task takes.
    std::int64_t block_lines = 1;

    std::int64_t group_channels() const { return blocked_out ? lanes : out_channels; }
    std::int64_t groups() const { return out_channels / group_channels(); }
    std::int64_t columns() const { return window_width * group_channels(); }
    std::int64_t padded_columns() const { return round_up(columns(), lanes); }
    /// Of one line of windows and one group.
    std::int64_t product_floats() const { return in_channels * padded_columns(); }
    std::int64_t weight_floats() const { return window_height * groups() * product_floats(); }
    std::int64_t bias_floats() const { return groups() * padded_columns(); }
    std::int64_t picture_blocks() const { return divide_up(height, block_lines); }
    std::int64_t tasks() const { return batch * picture_blocks(); }
    /// In floats, between pixels of lines that are copied: apart from powers of two, at which they meet in one set of a
    /// cache.
    std::int64_t copy_stride() const { return round_up(in_channels, lanes) + lanes; }
    std::int64_t copy_floats() const { return blocked_in ? block_lines * width * copy_stride() : 0; }
    double macs() const {
        return static_cast<double>(batch * height * width * in_channels) *
               static_cast<double>(out_channels * window_height * window_width);
    }
    /// In floats, where group `group` of line `line` of the output of picture `picture` begins.
    std::int64_t output_at(std::int64_t picture, std::int64_t group, std::int64_t line) const;
};

/// nullopt where the node is no transposed convolution of one or two dimensions in one group whose windows lie side by
/// side.
std::optional<Problem> problem_of(const KernelRequest& request);

/// The parameter "weight", dense [in_channels, out_channels, window...], as panels of [channel][2 · lanes] for each
/// line of windows and group; empty where it is not known.
PackedWeights pack_weights(const Problem& problem, const Node& node, WeightProvider& provider);
/// The parameter "bias" for each column of each group.
PackedWeights pack_bias(const Problem& problem, const Node& node, WeightProvider& provider);

}  // namespace seq::cpu::spread
