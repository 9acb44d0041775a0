#include <algorithm>

#include "kernels/cpu/inverted_residual/block.hpp"

namespace seq::cpu::inverted_residual {
namespace {

/// Expanded rows and a strip, in floats: a part of the second-level cache, beside the weights.
constexpr std::int64_t cache_floats = 192 * 1024;
/// Pixels of a strip, so that the tiles of its products are full and weights are read anew but now and then.
constexpr std::int64_t strip_pixels = 56;
/// Rows of the output that a part has at least; parts of fewer would expand much twice.
constexpr std::int64_t least_part_rows = 12;

std::int64_t divide_up(std::int64_t value, std::int64_t step) { return (value + step - 1) / step; }
std::int64_t round_up(std::int64_t value, std::int64_t step) { return divide_up(value, step) * step; }

/// The largest block of channels with which `plan` stays in the cache.
void fit_block(Plan& plan) {
    const std::int64_t panel = 2 * plan.middle.lanes;
    const std::int64_t blocks_at_first = divide_up(plan.part_channels, panel);
    for (std::int64_t blocks = 1; blocks <= blocks_at_first; ++blocks) {
        plan.block_channels = round_up(divide_up(plan.part_channels, blocks), panel);
        if (plan.worker_floats() <= cache_floats) return;
    }
}

}  // namespace

std::int64_t Plan::ring_rows() const {
    return std::min((strip_rows - 1) * middle.stride_height + middle.kernel_height, middle.in_height);
}

void cut_into_tasks(Plan& plan, int threads) {
    const depthwise::Problem& m = plan.middle;
    const std::int64_t panel = 2 * m.lanes;
    const std::int64_t parts = m.batch >= threads ? 1 : divide_up(threads, m.batch);
    plan.part_rows = m.out_height;
    plan.part_channels = round_up(m.channels, panel);
    if (m.out_height >= parts * least_part_rows) {
        plan.part_rows = divide_up(m.out_height, parts);
        plan.strip_rows = std::min(divide_up(strip_pixels, m.out_width), plan.part_rows);
    } else {
        plan.part_channels = round_up(divide_up(m.channels, parts), panel);
        plan.strip_rows = m.out_height;
    }
    fit_block(plan);
}

}  // namespace seq::cpu::inverted_residual
