#include <algorithm>

#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/inverted_residual/block.hpp"

namespace seq::cpu::inverted_residual {
namespace {

/// Expanded rows and a strip, in floats: a part of the second-level cache, beside the weights.
constexpr std::int64_t cache_floats = 192 * 1024;
/// Pixels of a strip, so that the tiles of its products are full and weights are read anew but now and then.
constexpr std::int64_t strip_pixels = 56;
/// Rows of a strip, so that few rows that are expanded are read by two strips.
constexpr std::int64_t least_strip_rows = 4;
/// For each thread: with as many, one that a thread does alone in the end hardly counts.
constexpr std::int64_t many_pictures = 6;

/// What a byte costs, in multiply-adds: of weights, which are fetched ahead from the cache that the cores share; of
/// sums, which one core writes and another adds up.
constexpr double weight_byte = 1, partial_byte = 8;

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

namespace {

double as_double(std::int64_t value) { return static_cast<double>(value); }

/// What each of `parts` parts of the rows does that another one does as well, in multiply-adds: rows that are expanded
/// twice, and weights that all of them read.
double row_parts_cost(const Plan& plan, std::int64_t parts) {
    const depthwise::Problem& m = plan.middle;
    const std::int64_t halo = std::max<std::int64_t>(m.kernel_height - m.stride_height, 0);
    const double shared = as_double(parts - 1) / as_double(parts);
    const double expansion = as_double(halo * m.in_width) * as_double(plan.in_channels * m.channels);
    const double weights = as_double(m.channels) * as_double(plan.in_channels + plan.out_channels + m.taps());
    return shared * (expansion + sizeof(float) * weights * weight_byte);
}

/// What each of `parts` parts of the hidden channels does in vain: sums that are stored, and added up.
double channel_parts_cost(const Plan& plan) {
    return as_double(plan.projects() ? plan.output_floats() : 0) * sizeof(float) * 2 * partial_byte;
}

/// What the largest part has more than an equal share, in multiply-adds, where `count` things are cut into `parts`
/// parts of up to `part`.
double uneven_cost(const Plan& plan, std::int64_t count, std::int64_t part, std::int64_t parts) {
    const depthwise::Problem& m = plan.middle;
    const double products = as_double(m.in_height * m.in_width * plan.in_channels) +
                            as_double(m.out_height * m.out_width * plan.out_channels);
    const double all = as_double(m.channels) * (products + as_double(m.out_height * m.out_width * m.taps()));
    return all * (as_double(part) / as_double(count) - 1 / as_double(parts));
}

}  // namespace

std::int64_t Plan::ring_rows() const {
    return std::min((strip_rows - 1) * middle.stride_height + middle.kernel_height, middle.in_height);
}

void cut_into_tasks(Plan& plan, int threads) {
    const depthwise::Problem& m = plan.middle;
    const std::int64_t panel = 2 * m.lanes;
    const bool pictures_suffice = m.batch % threads == 0 || m.batch >= many_pictures * threads;
    const std::int64_t parts = pictures_suffice ? 1 : threads;
    plan.part_rows = m.out_height;
    plan.part_channels = round_up(m.channels, panel);
    const bool enough_channels = m.channels >= parts * panel;
    const std::int64_t rows = divide_up(m.out_height, parts);
    const std::int64_t channels = round_up(divide_up(m.channels, parts), panel);
    const double by_rows = row_parts_cost(plan, parts) + uneven_cost(plan, m.out_height, rows, parts);
    const double by_channels = channel_parts_cost(plan) + uneven_cost(plan, m.channels, channels, parts);
    if (!enough_channels || by_rows <= by_channels) {
        plan.part_rows = rows;
        plan.strip_rows = std::min(std::max(divide_up(strip_pixels, m.out_width), least_strip_rows), plan.part_rows);
    } else {
        plan.part_channels = channels;
        plan.strip_rows = m.out_height;
    }
    fit_block(plan);
}

}  // namespace seq::cpu::inverted_residual
