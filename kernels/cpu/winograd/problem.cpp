#include "kernels/cpu/winograd/problem.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace seq::cpu::winograd {
namespace {

/// What a task may keep in the second-level cache, in floats.
constexpr std::int64_t cache_floats = 256 * 1024;

/// The number of tiles in a group that wastes least on `tiles`, the larger one of equals.
int best_group(std::span<const int> sizes, std::int64_t tiles) {
    int best = sizes.front();
    std::int64_t best_padded = 0;
    for (const int size : sizes) {
        const std::int64_t padded = (tiles + size - 1) / size * size;
        if (best_padded == 0 || padded <= best_padded) {
            best = size;
            best_padded = padded;
        }
    }
    return best;
}

}  // namespace

void cut_into_tasks(Problem& problem, int threads) {
    static constexpr std::array wide{6, 8, 10, 12, 14};
    static constexpr std::array narrow{4, 6};
    const auto sizes = problem.lanes == 16 ? std::span<const int>(wide) : std::span<const int>(narrow);
    const std::int64_t tiles = std::max<std::int64_t>(problem.tiles(), 1);
    const std::int64_t per_tile = problem.positions() * (problem.in_blocks() + 2) * problem.lanes;
    const std::int64_t fit = std::min(std::max<std::int64_t>(cache_floats / per_tile, sizes.back()), tiles);
    std::int64_t blocks = (tiles + fit - 1) / fit;
    const bool enough_columns = problem.columns() >= threads;
    if (blocks > 1 || !enough_columns) blocks = (blocks + threads - 1) / threads * threads;
    blocks = std::min(blocks, (tiles + sizes.front() - 1) / sizes.front());
    const std::int64_t wanted = (tiles + blocks - 1) / blocks;
    problem.group_tiles = best_group(sizes, wanted);
    problem.block_tiles = (wanted + problem.group_tiles - 1) / problem.group_tiles * problem.group_tiles;
    const std::int64_t parts =
        std::clamp<std::int64_t>(threads / std::max<std::int64_t>(problem.tile_blocks(), 1), 1, problem.columns());
    problem.task_columns = (problem.columns() + parts - 1) / parts;
}

namespace {

/// Measured on two cores with AVX-512, as is what a tile's transforms cost for each channel.
/// A byte of weights from memory, and from a cache that the cores share, in multiply-adds of one core.
constexpr double memory_byte = 6;
constexpr double shared_cache_byte = 1;
/// The part of the peak that inner products reach.
constexpr double efficiency = 0.85;

double macs_per_channel_pair(const Problem& problem) {
    return static_cast<double>(problem.in_blocks() * problem.lanes) *
           static_cast<double>(problem.out_blocks() * problem.lanes);
}

}  // namespace

double winograd_cost(const Problem& problem, int threads) {
    const double transform = problem.tile == 4 ? 850 : 260, back = problem.tile == 4 ? 650 : 200;
    const std::int64_t groups = (problem.tiles() + problem.group_tiles - 1) / problem.group_tiles;
    const auto tiles = static_cast<double>(groups * problem.group_tiles);
    const auto positions = static_cast<double>(problem.positions());
    const double products = positions * tiles * macs_per_channel_pair(problem) / efficiency;
    const double transforms = tiles * (transform * static_cast<double>(problem.in_blocks() * problem.lanes) +
                                       back * static_cast<double>(problem.out_blocks() * problem.lanes));
    const auto tasks = static_cast<double>(problem.tasks());
    const double idle = std::ceil(tasks / threads) * threads / tasks;
    const double weight_bytes = static_cast<double>(problem.weight_floats()) * sizeof(float);
    const auto passes = static_cast<double>(problem.tile_blocks() - 1);
    return (products + transforms) * idle + weight_bytes * (memory_byte + passes * shared_cache_byte);
}

double direct_cost(const Problem& problem) {
    const auto pixels = static_cast<double>(problem.batch * problem.out_height * problem.out_width);
    const auto lanes = static_cast<double>(problem.lanes);
    // Direct convolution does not pad channels that are few.
    const double filled = std::min(1.0, static_cast<double>(problem.in_channels) / lanes);
    const double macs = 9 * macs_per_channel_pair(problem) * filled;
    return pixels * macs / efficiency + macs * sizeof(float) * memory_byte;
}

}  // namespace seq::cpu::winograd
