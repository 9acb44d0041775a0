#include <algorithm>

#include "kernels/cpu/pointwise/problem.hpp"

namespace seq::cpu::pointwise {
namespace {

/// All rows times the panel of `tile`, in tiles that are alike; the first two fetch `next`, where there is a panel to
/// come.
void multiply_panel(const Code& code, Tile tile, std::int64_t count, const float* next) {
    const std::int64_t tiles = (count + code.rows() - 1) / code.rows();
    const std::int64_t rows = count / tiles, larger = count % tiles;
    for (std::int64_t t = 0; t < tiles; ++t) {
        const std::int64_t tile_rows = t < larger ? rows + 1 : rows;
        tile.ahead = next == nullptr || t >= 2 ? tile.panel : next + t * tile.channels * code.lanes;
        code.run(tile, tile_rows);
        tile.rows += tile_rows * tile.row_stride;
        tile.output += tile_rows * tile.output_stride;
        if (tile.residual != nullptr) tile.residual += tile_rows * tile.output_stride;
    }
}

}  // namespace

void multiply_panels(const Code& code, const Panels& panels, Tile tile, std::int64_t count, std::int64_t first,
                     std::int64_t last, std::int64_t channel) {
    const std::int64_t width = 2 * code.lanes;
    const auto weights_at = [&](std::int64_t panel) {
        const std::int64_t columns = std::min(width, panels.out_channels - panel * width);
        const std::int64_t padded = columns > code.lanes ? width : code.lanes;
        return panels.weights + panel * width * panels.in_channels + channel * padded;
    };
    for (std::int64_t panel = first; panel < last; ++panel) {
        tile.panel = weights_at(panel);
        tile.bias = panels.bias + panel * width;
        tile.columns = std::min(width, panels.out_channels - panel * width);
        multiply_panel(code, tile, count, panel + 1 < last ? weights_at(panel + 1) : nullptr);
        tile.output += width + 2 * tile.output_gap;
        if (tile.residual != nullptr) tile.residual += width + 2 * tile.output_gap;
    }
}

const Code& code_for(Isa isa) { return isa == Isa::avx512 ? code_avx512() : code_avx2(); }

}  // namespace seq::cpu::pointwise
