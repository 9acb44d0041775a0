#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "kernels/cpu/amx/panel.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu::amx {

/// A Conv2d without groups, channels last, as a product of matrices: a row of the left factor is a pixel, and each
/// position of the window adds the product with the rows that far on. Where there is padding or a stride, pixels are
/// copied first so that this holds, with a stride of s into pictures of every s-th pixel, one for each remainder that
/// the window reaches.
struct Problem {
    std::int64_t batch = 1, channels = 1, out_channels = 1;
    std::int64_t height = 1, width = 1, out_height = 1, out_width = 1;
    std::int64_t window_height = 1, window_width = 1, stride_height = 1, stride_width = 1;
    std::int64_t dilation_height = 1, dilation_width = 1;
    std::int64_t padding_top = 0, padding_left = 0, padding_bottom = 0, padding_right = 0;

    std::int64_t taps() const { return window_height * window_width; }
    bool copies() const;
    /// From the first to the last position of the window.
    std::int64_t reach_down() const { return (window_height - 1) * dilation_height; }
    std::int64_t reach_right() const { return (window_width - 1) * dilation_width; }
    /// Of a picture of what is multiplied, and how many there are of each of the batch.
    std::int64_t left_height() const { return out_height + reach_down() / stride_height; }
    std::int64_t left_width() const { return out_width + reach_right() / stride_width; }
    std::int64_t phases_down() const { return std::min(stride_height, reach_down() + 1); }
    std::int64_t phases_right() const { return std::min(stride_width, reach_right() + 1); }
    std::int64_t left_rows() const { return batch * phases_down() * phases_right() * left_height(); }
    std::int64_t pixels() const { return batch * out_height * out_width; }
    std::int64_t weights() const { return taps() * channels * out_channels; }
    std::int64_t panels() const { return out_channels / panel_columns; }
    std::int64_t panel_weights() const { return taps() * channels * panel_columns; }
};

/// nullopt where the node is no such convolution.
std::optional<Problem> problem_of(const KernelRequest& request);

/// Rows of a tile, the same for all, and tiles that cover every pixel, an even number.
struct Rows {
    int tile_rows = 1;
    std::vector<RowTile> tiles;
    std::vector<std::int64_t> taps;
};
Rows rows_of(const Problem& problem);

/// `plain` is [out channels, channels, height, width]; `packed` has Problem::panels() panels.
void pack_weights(const Problem& problem, const float* plain, std::uint16_t* packed);

/// Rows [first, last) of the Problem::left_rows() of all pictures of what is multiplied, zeros around them.
void copy_rows(const Problem& problem, const std::uint16_t* from, std::uint16_t* to, std::int64_t first,
               std::int64_t last);

}  // namespace seq::cpu::amx
