#include <algorithm>

#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/pointwise/problem.hpp"

namespace seq::cpu::pointwise {
namespace {

/// In floats: how far ahead weights are fetched that one tile alone reads. What lies further ahead would have left the
/// cache again before a long panel is through.
constexpr std::int64_t stream_ahead = 1024;

}  // namespace

void multiply_panel(const Code& code, Tile tile, std::int64_t count, const float* next, std::int64_t next_floats) {
    const std::int64_t tiles = divide_up(count, tile_rows(code.lanes, tile.columns));
    const std::int64_t rows = count / tiles, larger = count % tiles;
    tile.ahead = next;
    tile.ahead_step = divide_up(next_floats, std::max<std::int64_t>(tiles * tile.taps * tile.channels, 1));
    if (tiles == 1) {
        tile.ahead = tile.panel + stream_ahead;
        tile.ahead_step = tile.columns > code.lanes ? 2 * code.lanes : code.lanes;
    }
    const bool fetches_rows = tile.rows_are_far && tiles > 1;
    tile.rows_ahead = tile.panel;
    for (std::int64_t t = 0; t < tiles; ++t) {
        const std::int64_t tile_rows = t < larger ? rows + 1 : rows;
        if (fetches_rows) {
            tile.rows_ahead = tile.rows + tile_rows * tile.row_stride;
            tile.rows_step = tile_rows;
        }
        code.run(tile, tile_rows);
        tile.ahead += tile.taps * tile.channels * tile.ahead_step;
        tile.rows += tile_rows * tile.row_stride;
        tile.output += tile_rows * tile.output_stride;
        if (tile.sums != nullptr) tile.sums += tile_rows * tile.sums_stride;
        if (tile.residual != nullptr) tile.residual += tile_rows * tile.output_stride;
    }
}

void multiply_panels(const Code& code, const Panels& panels, Tile tile, std::int64_t count, std::int64_t first,
                     std::int64_t last, std::int64_t channel) {
    const std::int64_t width = 2 * code.lanes, panel_count = divide_up(panels.out_channels, width);
    const auto padded_columns = [&](std::int64_t panel) {
        return panels.out_channels - panel * width > code.lanes ? width : std::int64_t{code.lanes};
    };
    const auto weights_at = [&](std::int64_t panel) {
        return panels.weights + panel * width * panels.in_channels + channel * padded_columns(panel);
    };
    const Tile start = tile;
    const std::int64_t step = tile.backwards ? -1 : 1;
    for (std::int64_t panel = tile.backwards ? last - 1 : first; first <= panel && panel < last; panel += step) {
        const std::int64_t next = panel + step, columns = (panel - first) * width;
        const bool more = next >= 0 && next < panel_count;
        tile.panel = weights_at(panel);
        tile.bias = panels.bias + panel * width;
        tile.columns = std::min(width, panels.out_channels - panel * width);
        tile.output = start.output + columns + 2 * (panel - first) * tile.output_gap;
        if (tile.sums != nullptr) tile.sums = start.sums + columns;
        if (tile.residual != nullptr) tile.residual = start.residual + (tile.output - start.output);
        multiply_panel(code, tile, count, more ? weights_at(next) : tile.panel,
                       more ? tile.channels * padded_columns(next) : 0);
        tile.rows_are_far = false;
    }
}

const Code& code_for(Isa isa) { return isa == Isa::avx512 ? code_avx512() : code_avx2(); }

}  // namespace seq::cpu::pointwise
