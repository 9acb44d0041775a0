#include "kernels/cpu/pointwise/problem.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/tensor.hpp"
#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/packing.hpp"

namespace seq::cpu::pointwise {
namespace {

/// Of rows that stay in the second-level cache beside the weights, in floats; what is written counts twice, since it is
/// fetched and goes back.
constexpr std::int64_t block_cache_floats = 256 * 1024;
/// Below this a task is not worth being handed out.
constexpr double least_task_macs = 400e3;
/// Tasks for each thread, so that one that is held up leaves its own to others.
constexpr std::int64_t tasks_per_thread = 6;

/// `count` rows of dense [out_channels, in_channels, taps] as one panel, in which a row has `width` places. What is
/// read in order is turned about in the first-level cache, and written a place of all rows at a time.
void pack_panel(const PanelShape& shape, const float* rows, std::int64_t count, std::int64_t width, float* panel) {
    constexpr std::int64_t most_width = 32, block = 128;
    alignas(64) float turned[block * most_width] = {};
    const std::int64_t taps = shape.taps, channels = shape.in_channels, length = channels * taps;
    for (std::int64_t first = 0; first < length; first += block) {
        const std::int64_t some = std::min(block, length - first);
        for (std::int64_t j = 0; j < count; ++j) {
            const float* const row = rows + j * length + first;
            for (std::int64_t i = 0; i < some; ++i) turned[i * width + j] = row[i];
        }
        for (std::int64_t i = 0; i < some; ++i) {
            const std::int64_t channel = (first + i) / taps, tap = (first + i) % taps;
            std::copy_n(turned + i * width, width, panel + (tap * channels + channel) * width);
        }
    }
}

/// The tiles of a block, about as many blocks as wanted, at which the thread with the most blocks has the fewest tiles.
std::int64_t even_block(std::int64_t tiles, std::int64_t blocks, std::int64_t most, std::int64_t threads) {
    const std::int64_t wanted = divide_up(tiles, blocks);
    std::int64_t best = wanted;
    const auto longest = [&](std::int64_t block) { return divide_up(divide_up(tiles, block), threads) * block; };
    for (std::int64_t block = std::max<std::int64_t>(wanted / 2, 1); block <= std::min(wanted + 2, most); ++block) {
        if (longest(block) < longest(best)) best = block;
    }
    return best;
}

}  // namespace

double Problem::macs() const {
    return static_cast<double>(rows) * static_cast<double>(in_channels) * static_cast<double>(out_channels);
}

void cut_into_tasks(Problem& p, int threads) {
    const std::int64_t tile = tile_rows(p.lanes, p.out_channels), tiles = (p.rows + tile - 1) / tile;
    const std::int64_t tile_floats = tile * (p.copy_stride() + 2 * p.padded_out());
    const std::int64_t fit = std::clamp<std::int64_t>(block_cache_floats / tile_floats, 1, tiles);
    const auto worth = static_cast<std::int64_t>(p.macs() / least_task_macs);
    const std::int64_t wanted = threads == 1 ? 1 : std::clamp<std::int64_t>(worth, 1, tasks_per_thread * threads);
    std::int64_t parts = 1, blocks = (tiles + fit - 1) / fit;
    const bool by_columns = p.out_channels >= p.rows && p.panels() >= threads;
    if (by_columns) {
        parts = std::clamp<std::int64_t>(wanted / blocks, 1, p.panels());
    } else {
        blocks = std::clamp<std::int64_t>(wanted, blocks, tiles);
        parts = std::clamp<std::int64_t>(std::min<std::int64_t>(wanted, threads) / blocks, 1, p.panels());
    }
    p.block_rows = blocks == 1 ? p.rows : even_block(tiles, blocks, fit, by_columns ? 1 : threads) * tile;
    p.task_panels = (p.panels() + parts - 1) / parts;
}

PackedWeights pack_panels(const Node& node, WeightProvider& provider, const PanelShape& shape) {
    const Value& weight = *node.parameter("weight");
    if (!provider.available(weight)) return {};
    const std::int64_t length = shape.in_channels * shape.taps, width = std::int64_t{2} * shape.lanes;
    const std::int64_t group_floats = length * round_up(shape.out_channels, shape.lanes);
    const auto pack = [&](const float* rows, std::int64_t first, std::int64_t count, float* packed) {
        const std::int64_t group = first / shape.out_channels, inside = first % shape.out_channels;
        float* panel = packed + group * group_floats + inside * length;
        for (std::int64_t row = 0; row < count; row += width) {
            const std::int64_t some = std::min(width, count - row), padded = round_up(some, shape.lanes);
            pack_panel(shape, rows + row * length, some, padded, panel + row * length);
        }
    };
    const std::int64_t step = shape.groups > 1 ? shape.out_channels : width;
    const std::string key = fmt::format("panels of 2 times {}", shape.lanes);
    return pack_rows(weight, provider, shape.groups > 1 ? fmt::format("{}, {} groups", key, shape.groups) : key,
                     {shape.groups * group_floats, step, shape.tame, pack});
}

}  // namespace seq::cpu::pointwise
