#include "kernels/cpu/winograd/problem.hpp"

#include <cmath>
#include <cstdlib>

namespace seq::cpu::winograd {
namespace {

/// What a thread may keep in the second-level cache, in floats.
constexpr std::int64_t cache_floats = 256 * 1024;

/// How much longer tasks of one size take for being no multiple of the threads.
double idle(std::int64_t tasks, int threads) {
    return static_cast<double>(ceil_divide(tasks, threads) * threads) / static_cast<double>(tasks);
}

/// As many parts of the columns as keep the threads busy.
void cut_columns(Problem& problem, int threads, std::int64_t least) {
    problem.parts = std::clamp<std::int64_t>(least, 1, problem.columns());
    while (problem.parts < problem.columns() && idle(problem.tasks(), threads) > 1.1) ++problem.parts;
}

/// Blocks of tiles that stay in the cache while the weights pass.
void cut_tiles(Problem& problem, int threads) {
    const std::int64_t per_tile = problem.positions() * (problem.in.blocks + 2) * problem.lanes;
    const std::int64_t fit = std::max<std::int64_t>(cache_floats / per_tile, problem.largest_group());
    problem.blocks = ceil_divide(problem.tiles(), fit);
    if (problem.blocks > 1 || problem.columns() < threads)
        problem.blocks = std::min(problem.tiles(), ceil_divide(problem.blocks, threads) * threads);
    problem.chunk_columns = 1;
    cut_columns(problem, threads, 1);
}

/// As few blocks as can be, which pass through the cache for each chunk of columns: many weights are read seldom.
void cut_weights(Problem& problem, int threads) {
    const std::int64_t per_tile = problem.positions() * problem.in.blocks * problem.lanes;
    const std::int64_t fit = std::max<std::int64_t>(4 * cache_floats / per_tile, problem.largest_group());
    problem.blocks = ceil_divide(problem.tiles(), fit);
    const std::int64_t column = problem.positions() * problem.product_stride();
    problem.chunk_columns = std::clamp<std::int64_t>(
        std::min(cache_floats / column, problem.columns() / threads), 1, 4);
    cut_columns(problem, threads, ceil_divide(problem.columns(), problem.chunk_columns));
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
    cut_tiles(problem, threads);
    if (const char* s = std::getenv("SEQ_WINO"); s != nullptr && *s == 's') cut_weights(problem, threads);
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
