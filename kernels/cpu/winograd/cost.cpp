#include <algorithm>

#include "kernels/cpu/winograd/problem.hpp"

// Estimates in multiply-adds of one core at its peak, fitted to times on two cores with AVX-512 whose second-level
// caches hold 2 MiB.
namespace seq::cpu::winograd {
namespace {

/// A byte of what was not used before in the run, and of what a cache that the cores share holds since. Of transformed
/// tiles less is waited for, since they are written and read by one core.
constexpr double new_byte = 5, weight_byte = 3, tile_byte = 1.5;
/// For each number that a thread writes to pixels of which another thread writes other channels meanwhile: the cores'
/// prefetchers take the lines from each other.
constexpr double contended = 146;
/// What stays in a core's own cache from one pass over it to the next, in floats.
constexpr double kept_floats = 384 * 1024;
/// The part of the peak that inner products reach, those of direct convolution too.
constexpr double efficiency = 0.88;
/// To begin and end an inner product of a group of tiles and a column.
constexpr double call = 2000;
/// An inner product of fewer tiles waits for its own sums.
constexpr std::int64_t least_tiles = 4;

/// What a tile's transforms take for each channel.
struct TransformCost {
    double input, back;
};
constexpr TransformCost transform_cost(const Problem& problem) {
    if (problem.lines) return problem.tile == 4 ? TransformCost{45, 38} : TransformCost{25, 22};
    if (problem.stride == 2) return problem.tile == 4 ? TransformCost{3000, 560} : TransformCost{800, 150};
    return problem.tile == 4 ? TransformCost{580, 450} : TransformCost{220, 150};
}

double read_cost(const Problem& problem, double floats, double byte) {
    return floats * sizeof(float) * byte * problem.lanes / 16;
}

/// The numbers of a task, a block of tiles times the largest part of the columns.
struct TaskSize {
    double tiles, columns, out_channels;
    double products;  ///< of a tile
    double weights, transformed;

    explicit TaskSize(const Problem& p) {
        const auto places = static_cast<double>(p.places());
        tiles = static_cast<double>(p.block_tiles());
        columns = static_cast<double>(p.part_cut().size(0));
        out_channels = static_cast<double>(std::min(p.part_cut().size(0) * 2, p.out.blocks) * p.lanes);
        products = places * static_cast<double>(p.in.channels) * out_channels;
        weights = products * static_cast<double>(p.panels()) / places;
        transformed = places * tiles * static_cast<double>(p.in.blocks * p.lanes);
    }
};

double products_cost(const Problem& problem, const TaskSize& task) {
    const std::int64_t groups = problem.groups_of(problem.block_tiles()).parts;
    const auto rows = static_cast<double>(std::max(problem.block_tiles(), groups * least_tiles));
    return task.products * rows / efficiency + static_cast<double>(problem.positions() * groups) * task.columns * call;
}

/// The tiles' passes of one task, where they leave the cache meanwhile.
double tile_passes_cost(const Problem& problem, const TaskSize& task) {
    if (task.transformed < kept_floats) return 0;
    const std::int64_t chunks = divide_up(problem.part_cut().size(0), problem.chunk_columns);
    return read_cost(problem, static_cast<double>(chunks) * task.transformed, tile_byte);
}

/// To write the results of one task.
double output_cost(const Problem& problem, const TaskSize& task, int threads) {
    const bool contends = threads > 1 && problem.parts > 1 && problem.out.pixel == problem.out.channels;
    const double numbers = task.tiles * static_cast<double>(problem.tile_outputs()) * task.out_channels;
    return task.tiles * task.out_channels * transform_cost(problem).back + (contends ? numbers * contended : 0);
}

}  // namespace

double winograd_cost(const Problem& problem, int threads) {
    const TaskSize task(problem);
    const std::int64_t rounds = divide_up(problem.tasks(), threads);
    const std::int64_t transforms = std::min(rounds, problem.blocks), new_parts = std::min(rounds, problem.parts);
    const double weights = task.weights * static_cast<double>(new_parts);
    const bool weights_stay = weights + task.transformed < kept_floats;
    const double reread = weights_stay ? 0 : task.weights * static_cast<double>(rounds - new_parts);
    return static_cast<double>(rounds) *
               (products_cost(problem, task) + tile_passes_cost(problem, task) + output_cost(problem, task, threads)) +
           static_cast<double>(transforms) * task.tiles * static_cast<double>(problem.in.blocks * problem.lanes) *
               transform_cost(problem).input +
           read_cost(problem, weights, new_byte) + read_cost(problem, reread, weight_byte);
}

double direct_cost(const Problem& problem, int threads) {
    const std::int64_t width = problem.dilation > 1 ? 1 : problem.out.width;
    const std::int64_t height = problem.dilation > 1 ? problem.out.length : problem.out.height;
    const auto pixels = static_cast<double>(problem.batch * height * width);
    const double weights =
        static_cast<double>(problem.taps() * problem.in.channels * problem.out.blocks * problem.lanes);
    return (pixels * weights / efficiency + read_cost(problem, weights, new_byte)) / threads;
}

}  // namespace seq::cpu::winograd
