#include "kernels/cpu/amx/problem.hpp"

#include <algorithm>

#include "graph/convert.hpp"
#include "graph/ops/convolution.hpp"
#include "kernels/cpu/geometry.hpp"

namespace seq::cpu::amx {
namespace {

/// Appends tiles of one run of consecutive rows, the last of which overlap rather than reach beyond; each row of the
/// result is some tile's once.
template <class Target>
void append_tiles(Rows& rows, std::int64_t source, std::int64_t count, const Target& target) {
    const std::int64_t tiles = 2 * divide_up(count, 2 * most_rows);
    for (std::int64_t t = 0; t < tiles; ++t) {
        RowTile tile;
        const std::int64_t start = std::min(t * rows.tile_rows, count - rows.tile_rows);
        tile.source = source + start;
        tile.target.fill(-1);
        for (std::int64_t r = 0; r < rows.tile_rows; ++r) {
            if (start + r >= t * rows.tile_rows) tile.target[static_cast<std::size_t>(r)] = target(start + r);
        }
        rows.tiles.push_back(tile);
    }
}

}  // namespace

bool Problem::copies() const {
    return padding_top + padding_left + padding_bottom + padding_right > 0 || stride_height > 1 || stride_width > 1;
}

std::optional<Problem> problem_of(const KernelRequest& request) {
    const auto* conv = request.node.op.as<ops::Conv2d>();
    if (conv == nullptr || conv->groups != 1 || conv->padding_mode != "zeros") return std::nullopt;
    const ops::Window rows = conv->window(0), columns = conv->window(1);
    const auto &in = request.inputs[0].sizes, &out = request.outputs[0].sizes;
    Problem p;
    p.batch = in[0];
    p.channels = in[1];
    p.height = in[2];
    p.width = in[3];
    p.out_channels = out[1];
    p.out_height = out[2];
    p.out_width = out[3];
    p.window_height = rows.kernel;
    p.window_width = columns.kernel;
    p.stride_height = rows.stride;
    p.stride_width = columns.stride;
    p.dilation_height = rows.dilation;
    p.dilation_width = columns.dilation;
    p.padding_top = rows.pad_before;
    p.padding_bottom = rows.pad_after;
    p.padding_left = columns.pad_before;
    p.padding_right = columns.pad_after;
    return p;
}

Rows rows_of(const Problem& p) {
    Rows rows;
    const std::int64_t width = p.left_width(), picture = p.left_height() * width;
    const std::int64_t pictures = p.phases_down() * p.phases_right();
    // Without a window around them all pixels of the batch are one run.
    const bool apart = p.taps() > 1;
    const std::int64_t runs = apart ? p.batch : 1;
    const std::int64_t count = apart ? (p.out_height - 1) * width + p.out_width : p.pixels();
    rows.tile_rows = static_cast<int>(divide_up(count, 2 * divide_up(count, 2 * most_rows)));
    for (std::int64_t run = 0; run < runs; ++run) {
        append_tiles(rows, run * pictures * picture, count, [&](std::int64_t row) {
            const std::int64_t y = row / width, x = row % width;
            if (apart && x >= p.out_width) return std::int32_t{-1};
            return static_cast<std::int32_t>(apart ? (run * p.out_height + y) * p.out_width + x : row);
        });
    }
    for (std::int64_t i = 0; i < p.taps(); ++i) {
        const std::int64_t y = i / p.window_width * p.dilation_height, x = i % p.window_width * p.dilation_width;
        const std::int64_t phase = y % p.stride_height * p.phases_right() + x % p.stride_width;
        rows.taps.push_back(phase * picture + y / p.stride_height * width + x / p.stride_width);
    }
    return rows;
}

void pack_weights(const Problem& p, const float* plain, std::uint16_t* packed) {
    constexpr std::int64_t half = panel_columns / 2;
    for (std::int64_t o = 0; o < p.out_channels; ++o) {
        const std::int64_t column = o % panel_columns;
        std::uint16_t* panel = packed + o / panel_columns * p.panel_weights();
        for (std::int64_t c = 0; c < p.channels; ++c) {
            const std::int64_t pair = c % step_depth / 2;
            const std::int64_t within =
                column / half * (step_weights / 2) + pair * panel_columns + column % half * 2 + c % 2;
            for (std::int64_t tap = 0; tap < p.taps(); ++tap)
                panel[(tap * (p.channels / step_depth) + c / step_depth) * step_weights + within] =
                    f32_to_bf16(plain[(o * p.channels + c) * p.taps() + tap]);
        }
    }
}

void copy_rows(const Problem& p, const std::uint16_t* from, std::uint16_t* to, std::int64_t first, std::int64_t last) {
    const std::int64_t width = p.left_width();
    for (std::int64_t row = first; row < last; ++row) {
        const std::int64_t copy = row / p.left_height();
        const std::int64_t picture = copy / (p.phases_down() * p.phases_right());
        const std::int64_t down = copy / p.phases_right() % p.phases_down(), right = copy % p.phases_right();
        const std::int64_t y = row % p.left_height() * p.stride_height + down - p.padding_top;
        std::uint16_t* target = to + row * width * p.channels;
        if (y < 0 || y >= p.height) {
            std::fill_n(target, width * p.channels, std::uint16_t{0});
            continue;
        }
        const std::uint16_t* line = from + (picture * p.height + y) * p.width * p.channels;
        for (std::int64_t i = 0; i < width; ++i, target += p.channels) {
            const std::int64_t x = i * p.stride_width + right - p.padding_left;
            if (x < 0 || x >= p.width) {
                std::fill_n(target, p.channels, std::uint16_t{0});
            } else {
                std::copy_n(line + x * p.channels, p.channels, target);
            }
        }
    }
}

}  // namespace seq::cpu::amx
