#include "kernels/cpu/winograd/task.hpp"

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu::winograd {
namespace {

constexpr std::int64_t line_floats = 16;

}  // namespace

Execution::Execution(const Problem& problem, Isa isa, int threads)
    : problem_(problem), workers_(std::min({std::int64_t{threads}, problem.tasks(), TaskRanges::max_workers})) {
    grid_ = {problem.in,
             problem.out,
             problem.pad_top,
             problem.pad_left,
             problem.tile_rows(),
             problem.tile_columns(),
             problem.input_stride(),
             problem.product_stride(),
             problem.dilation,
             problem.lines && problem.in.row < problem.in.pixel};
    const bool wide = isa == Isa::avx512;
    transforms_ = wide ? transforms_avx512(problem.tile, problem.lines) : transforms_avx2(problem.tile, problem.lines);
    for (int columns = 1; columns <= 2; ++columns) {
        for (int tiles = 1; tiles <= problem.largest_group(); ++tiles) {
            multiply_.at(static_cast<std::size_t>(columns - 1)).at(static_cast<std::size_t>(tiles)) =
                wide ? multiply_avx512(tiles, columns) : multiply_avx2(tiles, columns);
        }
    }
    direct_ = direct_task(problem, isa);
}

std::int64_t Execution::scratch_floats() const {
    return workers_ * std::max(problem_.input_floats() + problem_.product_floats(), direct_floats(problem_));
}

void Execution::run(const Operands& operands, float* scratch) const {
    const Problem& p = problem_;
    std::array<std::int64_t, TaskRanges::max_workers> held;
    held.fill(-1);
    run_tasks(p.tasks(), workers_, [&](std::int64_t worker, std::int64_t task) {
        float* const transformed = scratch + worker * (p.input_floats() + p.product_floats());
        const std::int64_t block = task / p.parts, part = task % p.parts;
        const Tiles tiles{p.block_cut().start(block), p.groups_of(p.block_cut().size(block)), transformed};
        std::int64_t& transformed_block = held[static_cast<std::size_t>(worker)];
        if (block != transformed_block) transform(operands, tiles);
        transformed_block = block;
        const Cut columns = p.part_cut();
        const std::int64_t end = columns.start(part) + columns.size(part);
        for (std::int64_t column = columns.start(part); column < end; column += p.chunk_columns)
            do_chunk(operands, tiles, column, std::min(column + p.chunk_columns, end));
    });
}

void Execution::run_careful(const Operands& operands, float* scratch) const {
    share_tasks(workers_, problem_.batch * problem_.out.blocks, [&](std::int64_t worker, const auto& next) {
        for (std::int64_t task = next(); task >= 0; task = next())
            direct_(&problem_, &operands, task, scratch + worker * direct_floats(problem_));
    });
}

void Execution::transform(const Operands& operands, const Tiles& tiles) const {
    const Problem& p = problem_;
    for (std::int64_t group = 0; group < tiles.groups.parts; ++group) {
        const std::int64_t start = tiles.groups.start(group);
        transforms_.input(grid_, operands.input, tiles.first + start, tiles.groups.size(group),
                          tiles.transformed + start * p.in.blocks * p.lanes);
    }
}

void Execution::do_chunk(const Operands& operands, const Tiles& tiles, std::int64_t first, std::int64_t end) const {
    const Problem& p = problem_;
    float* const products = tiles.transformed + p.input_floats();
    const std::int64_t column_floats = p.positions() * p.product_stride();
    const auto panel = [&](std::int64_t position, std::int64_t column) {
        return operands.weights + p.weight_start(column, position);
    };
    for (std::int64_t position = 0; position < p.positions(); ++position) {
        for (std::int64_t column = first; column < end; ++column) {
            const bool last_column = column + 1 == end, last = last_column && position + 1 == p.positions();
            Step step;
            step.position = position;
            step.weights = panel(position, column);
            step.next_weights = last          ? panel(0, end % p.columns())
                                : last_column ? panel(position + 1, first)
                                              : panel(position, column + 1);
            step.blocks = p.column_blocks(column);
            step.columns = end - first;
            step.column = column - first;
            // Each group fetches its share of the weights that follow, and of its own tiles at the next position.
            step.weight_lines = divide_up(step.blocks * p.lanes * p.lanes / line_floats, tiles.groups.parts);
            if (step.columns > 1 && position + 1 < p.positions())
                step.tile_lines = divide_up(tiles.groups.size(0) * p.lanes / line_floats, step.columns);
            multiply(tiles, step, products + (column - first) * column_floats + position * p.product_stride());
        }
    }
    for (std::int64_t column = first; column < end; ++column) {
        transforms_.back(grid_, products + (column - first) * column_floats, tiles.first, tiles.groups.count, column,
                         operands.epilogue, operands.output);
    }
}

void Execution::multiply(const Tiles& tiles, const Step& step, float* products) const {
    const Problem& p = problem_;
    const Cut& groups = tiles.groups;
    const auto& by_tiles = multiply_[static_cast<std::size_t>(step.blocks - 1)];
    const float* v = tiles.transformed + step.position * p.input_stride();
    const float* next_weights = step.next_weights;
    for (std::int64_t group = 0; group < groups.parts; ++group) {
        const std::int64_t size = groups.size(group), v_floats = size * p.in.blocks * p.lanes;
        const Ahead weights{next_weights, step.weight_lines};
        Ahead next;
        if (step.tile_lines > 0) next = {v + p.input_stride() + step.column * v_floats / step.columns, step.tile_lines};
        by_tiles[static_cast<std::size_t>(size)](v, step.weights, p.in.channels, products, weights, next);
        next_weights += p.in.blocks * step.weight_lines * line_floats;
        v += v_floats;
        products += size * 2 * p.lanes;
    }
}

}  // namespace seq::cpu::winograd
