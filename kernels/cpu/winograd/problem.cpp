#include "kernels/cpu/winograd/problem.hpp"

#include <cmath>
#include <cstdlib>

namespace seq::cpu::winograd {
namespace {

/// What a thread may keep in the second-level cache, in floats.
constexpr std::int64_t cache_floats = 256 * 1024;

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// How much longer tasks of one size take for being no multiple of the threads.
double idle(std::int64_t tasks, int threads) {
    return static_cast<double>(ceil_divide(tasks, threads) * threads) / static_cast<double>(tasks);
}

/// Each block of tiles a task.
void cut_for_own(Problem& problem, int threads) {
    const std::int64_t tiles = std::max<std::int64_t>(problem.tiles(), 1);
    const std::int64_t per_tile = problem.positions() * (problem.in.blocks + 2) * problem.lanes;
    const std::int64_t fit = std::max<std::int64_t>(cache_floats / per_tile, problem.largest_group());
    problem.shared = false;
    problem.chunk_columns = 1;
    problem.blocks = std::min(tiles, ceil_divide(ceil_divide(tiles, fit), threads) * threads);
    problem.parts = 1;
    problem.part_tiles = problem.block_tiles();
}

/// Each chunk of columns, and part of a block of tiles, a task.
void cut_for_shared(Problem& problem, int threads) {
    const std::int64_t tiles = std::max<std::int64_t>(problem.tiles(), 1);
    const std::int64_t per_tile = problem.positions() * problem.in.blocks * problem.lanes;
    const std::int64_t fit = std::max<std::int64_t>(2 * cache_floats * threads / per_tile, problem.largest_group());
    problem.shared = true;
    problem.chunk_columns = std::clamp<std::int64_t>(problem.columns() / threads, 1, 4);
    problem.blocks = ceil_divide(tiles, fit);
    const Cut groups = problem.groups_of(problem.block_tiles());
    const std::int64_t largest = cache_floats / (problem.positions() * problem.chunk_columns * 2 * problem.lanes);
    problem.parts = std::min(groups.parts, ceil_divide(problem.block_tiles(), largest));
    while (problem.parts < groups.parts && idle(problem.chunks() * problem.parts, threads) > 1.1) ++problem.parts;
    problem.part_tiles = Cut{groups.parts, problem.parts}.size(0) * groups.size(0);
}

}  // namespace

Pictures lay_out(std::int64_t channels, std::int64_t height, std::int64_t width, int lanes, const Layout& layout) {
    const bool last = layout.kind == LayoutKind::channels_last;
    Pictures pictures;
    pictures.channels = channels;
    pictures.height = height;
    pictures.width = width;
    pictures.blocks = ceil_divide(channels, lanes);
    pictures.pixel = last ? channels : lanes;
    pictures.block = last ? lanes : height * width * lanes;
    pictures.picture = height * width * (last ? channels : pictures.blocks * lanes);
    pictures.last_lanes = static_cast<int>(last ? channels - (pictures.blocks - 1) * lanes : lanes);
    return pictures;
}

void cut_into_tasks(Problem& problem, int threads) {
    cut_for_own(problem, threads);
    if (const char* s = std::getenv("SEQ_WINO"); s != nullptr && *s == 's') cut_for_shared(problem, threads);
}

namespace {

/// Measured on two cores with AVX-512, as is what a tile's transforms cost for each channel.
/// A byte of weights from memory, and from a cache that the cores share, in multiply-adds of one core.
constexpr double memory_byte = 6;
constexpr double shared_cache_byte = 1;
/// The part of the peak that inner products reach.
constexpr double efficiency = 0.85;

double macs_per_channel_pair(const Problem& problem) {
    return static_cast<double>(problem.in.blocks * problem.lanes) *
           static_cast<double>(problem.out.blocks * problem.lanes);
}

}  // namespace

double winograd_cost(const Problem& problem, int threads) {
    const double transform = problem.tile == 4 ? 850 : 260, back = problem.tile == 4 ? 650 : 200;
    const auto tiles = static_cast<double>(problem.tiles());
    const auto positions = static_cast<double>(problem.positions());
    const double products = positions * tiles * macs_per_channel_pair(problem) / efficiency;
    const double transforms = tiles * (transform * static_cast<double>(problem.in.blocks * problem.lanes) +
                                       back * static_cast<double>(problem.out.blocks * problem.lanes));
    const double weight_bytes = static_cast<double>(problem.weight_floats()) * sizeof(float);
    const auto passes = static_cast<double>(problem.blocks - 1);
    return (products + transforms) * idle(problem.blocks, threads) + weight_bytes * (memory_byte + passes * shared_cache_byte);
}

double direct_cost(const Problem& problem) {
    const auto pixels = static_cast<double>(problem.batch * problem.out.height * problem.out.width);
    const auto lanes = static_cast<double>(problem.lanes);
    // Direct convolution does not pad channels that are few.
    const double filled = std::min(1.0, static_cast<double>(problem.in.channels) / lanes);
    const double macs = 9 * macs_per_channel_pair(problem) * filled;
    return pixels * macs / efficiency + macs * sizeof(float) * memory_byte;
}

}  // namespace seq::cpu::winograd
