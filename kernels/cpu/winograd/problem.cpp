#include "kernels/cpu/winograd/problem.hpp"

#include <algorithm>
#include <utility>

namespace seq::cpu::winograd {
namespace {

/// What a thread may keep in the second-level cache, in floats.
constexpr std::int64_t cache_floats = 256 * 1024;

/// How much longer tasks of one size take for being no multiple of the threads.
double idle(std::int64_t tasks, int threads) {
    return static_cast<double>(divide_up(tasks, threads) * threads) / static_cast<double>(tasks);
}

/// As many parts of the columns as keep the threads busy.
void cut_columns(Problem& problem, int threads, std::int64_t least) {
    problem.parts = std::clamp<std::int64_t>(least, 1, problem.columns());
    while (problem.parts < problem.columns() && idle(problem.tasks(), threads) > 1.1) ++problem.parts;
}

/// Blocks of tiles that stay in the cache while the weights pass.
void cut_tiles(Problem& problem, int threads) {
    const std::int64_t per_tile = (problem.places() * problem.in.blocks + problem.positions() * 2) * problem.lanes;
    const std::int64_t fit = std::max<std::int64_t>(cache_floats / per_tile, problem.largest_group());
    problem.blocks = divide_up(problem.tiles(), fit);
    if (problem.blocks > 1 || problem.columns() < threads)
        problem.blocks = std::min(problem.tiles(), divide_up(problem.blocks, threads) * threads);
    problem.chunk_columns = 1;
    cut_columns(problem, threads, 1);
}

/// As few blocks as can be, which pass through the cache for each chunk of columns: many weights are read seldom.
void cut_weights(Problem& problem, int threads) {
    const std::int64_t per_tile = problem.places() * problem.in.blocks * problem.lanes;
    const std::int64_t per_tile_products = problem.positions() * 2 * problem.lanes;
    const std::int64_t fit = std::min(4 * cache_floats / per_tile, cache_floats / 2 / per_tile_products);
    problem.blocks = divide_up(problem.tiles(), std::max<std::int64_t>(fit, problem.largest_group()));
    const std::int64_t chunk = cache_floats / (problem.block_tiles() * per_tile_products);
    problem.chunk_columns = std::clamp<std::int64_t>(std::min(chunk, problem.columns() / threads), 1, 4);
    cut_columns(problem, threads, divide_up(problem.columns(), problem.chunk_columns));
}

/// The same in blocks for every thread, so that no two threads transform one tile.
void cut_blocks(Problem& problem, int threads) {
    cut_weights(problem, threads);
    problem.blocks = std::min(problem.tiles(), divide_up(problem.blocks, threads) * threads);
    const std::int64_t chunk = cache_floats / (problem.block_tiles() * problem.positions() * 2 * problem.lanes);
    problem.chunk_columns = std::clamp<std::int64_t>(std::min(chunk, problem.columns()), 1, 4);
    problem.parts = 1;
}

/// Of lines whose weights stay in the cache: blocks of a few groups for every thread, so that no two threads write to
/// one pixel or transform one tile.
void cut_lines(Problem& problem, int threads) {
    constexpr std::int64_t block_groups = 8;
    const std::int64_t blocks = divide_up(problem.tiles(), block_groups * problem.largest_group());
    problem.blocks = std::min(problem.tiles(), divide_up(blocks, threads) * threads);
    problem.parts = 1;
    problem.chunk_columns = 1;
}

}  // namespace

Pictures lay_out(std::int64_t channels, std::int64_t height, std::int64_t width, int lanes, const Layout& layout) {
    const bool last = layout.kind == LayoutKind::channels_last;
    Pictures pictures;
    pictures.channels = channels;
    pictures.height = height;
    pictures.width = width;
    pictures.blocks = divide_up(channels, lanes);
    pictures.pixel = last ? channels : lanes;
    pictures.row = width * pictures.pixel;
    pictures.block = last ? lanes : height * width * lanes;
    pictures.picture = height * width * (last ? channels : pictures.blocks * lanes);
    pictures.last_lanes = static_cast<int>(last ? channels - (pictures.blocks - 1) * lanes : lanes);
    return pictures;
}

Pictures as_lines(Pictures pictures, bool down, std::int64_t dilation) {
    if (down) {
        std::swap(pictures.height, pictures.width);
        std::swap(pictures.pixel, pictures.row);
    }
    pictures.length = pictures.width;
    if (dilation > 1) {
        pictures.height = std::min(dilation, pictures.length);
        pictures.width = divide_up(pictures.length, dilation);
        pictures.row = pictures.pixel;
        pictures.pixel *= dilation;
    }
    return pictures;
}

void cut_into_tasks(Problem& problem, int threads) {
    if (problem.tiles() == 0) return;
    if (problem.lines && problem.weight_floats() <= cache_floats) return cut_lines(problem, threads);
    const Problem uncut = problem;
    cut_tiles(problem, threads);
    const auto try_cut = [&](auto cut, double believed) {
        Problem other = uncut;
        cut(other, threads);
        if (winograd_cost(other, threads) < believed * winograd_cost(problem, threads)) problem = other;
    };
    try_cut(cut_weights, 1);
    // The estimate leaves out what it takes to write tiles beyond the cache.
    try_cut(cut_blocks, 0.9);
}

}  // namespace seq::cpu::winograd
