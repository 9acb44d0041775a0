#include "kernels/cpu/winograd/problem.hpp"

#include <algorithm>

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
    const std::int64_t per_tile_products = problem.positions() * 2 * problem.lanes;
    const std::int64_t fit = std::min(4 * cache_floats / per_tile, cache_floats / 2 / per_tile_products);
    problem.blocks = ceil_divide(problem.tiles(), std::max<std::int64_t>(fit, problem.largest_group()));
    const std::int64_t chunk = cache_floats / (problem.block_tiles() * per_tile_products);
    problem.chunk_columns = std::clamp<std::int64_t>(std::min(chunk, problem.columns() / threads), 1, 4);
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
    pictures.row = width * pictures.pixel;
    pictures.block = last ? lanes : height * width * lanes;
    pictures.picture = height * width * (last ? channels : pictures.blocks * lanes);
    pictures.last_lanes = static_cast<int>(last ? channels - (pictures.blocks - 1) * lanes : lanes);
    return pictures;
}

void cut_into_tasks(Problem& problem, int threads) {
    if (problem.tiles() == 0) return;
    Problem by_weights = problem;
    cut_tiles(problem, threads);
    cut_weights(by_weights, threads);
    if (winograd_cost(by_weights, threads) < winograd_cost(problem, threads)) problem = by_weights;
}

}  // namespace seq::cpu::winograd
