#include "kernels/cpu/winograd/task.hpp"

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu::winograd {
namespace {

constexpr std::int64_t line_floats = 16;

}  // namespace

Execution::Execution(const Problem& problem, Isa isa, int threads)
    : problem_(problem),
      column_weights_(problem.weight_start(1, 0)),
      position_count_(problem.positions()),
      workers_(std::min({std::int64_t{threads}, problem.tasks(), TaskRanges::max_workers})) {
    grid_ = {problem.in,           problem.out,
             problem.pad_top,      problem.pad_left,
             problem.tile_rows(),  problem.tile_columns(),
             problem.plane(),      problem.product_stride(),
             problem.dilation,     problem.lines && problem.in.row < problem.in.pixel,
             problem.row_dilation, problem.column_dilation};
    const bool wide = isa == Isa::avx512;
    transforms_ = (wide ? transforms_avx512 : transforms_avx2)(problem.tile, problem.stride, problem.lines);
    if (problem.pooled) transforms_.back = transforms_.back_pooled;
    for (int columns = 1; columns <= 2; ++columns) {
        for (int tiles = 1; tiles <= problem.largest_group(); ++tiles) {
            multiply_.at(static_cast<std::size_t>(columns - 1)).at(static_cast<std::size_t>(tiles)) =
                wide ? multiply_avx512(tiles, columns) : multiply_avx2(tiles, columns);
        }
    }
    for (std::int64_t i = 0; i < position_count_; ++i) {
        Position& position = positions_.at(static_cast<std::size_t>(i));
        position.phases = problem.phases(i);
        position.input_start = problem.input_start(i);
        for (std::int64_t phase = 0; phase < position.phases; ++phase)
            position.panels.at(static_cast<std::size_t>(phase)) =
                problem.panel(i, phase) * problem.in.channels * problem.lanes;
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
    for (std::int64_t group = 0; group < tiles.groups.parts; ++group) {
        const std::int64_t start = tiles.groups.start(group);
        transforms_.input(grid_, operands.input, {tiles.first + start, tiles.groups.size(group), start},
                          tiles.transformed);
    }
}

void Execution::do_chunk(const Operands& operands, const Tiles& tiles, std::int64_t first, std::int64_t end) const {
    const Problem& p = problem_;
    float* const products = tiles.transformed + p.input_floats();
    const std::int64_t product_stride = grid_.product_stride, column_floats = position_count_ * product_stride;
    // By the number of blocks of a column, less one.
    const std::int64_t block_lines = p.lanes * p.lanes / line_floats, groups = tiles.groups.parts;
    const std::int64_t lines[2] = {divide_up(block_lines, groups), divide_up(2 * block_lines, groups)};
    Panels panels;
    for (std::int64_t position = 0; position < position_count_; ++position) {
        for (std::int64_t column = first; column < end; ++column) {
            const bool last_column = column + 1 == end, last = last_column && position + 1 == position_count_;
            const Step step{position, column, column - first, end - first};
            Step next{position, column + 1};
            if (last_column) next = {position + 1, first};
            if (last) next = {0, end % p.columns()};
            set_panels(operands, step, next, lines[p.column_blocks(column) - 1], panels);
            multiply(tiles, step, panels, products + step.in_chunk * column_floats + position * product_stride);
        }
    }
    for (std::int64_t column = first; column < end; ++column) {
        transforms_.back(grid_, products + (column - first) * column_floats, tiles.first, tiles.groups.count, column,
                         operands.epilogue, operands.output);
    }
}

/// Each group fetches its share of the weights that follow: so many lines for each block of channels.
void Execution::set_panels(const Operands& operands, const Step& step, const Step& next, std::int64_t lines,
                           Panels& panels) const {
    const Position& position = positions_[static_cast<std::size_t>(step.position)];
    const Position& next_position = positions_[static_cast<std::size_t>(next.position)];
    const float* const weights = operands.weights + step.column * column_weights_;
    const float* const next_weights = operands.weights + next.column * column_weights_;
    const std::int64_t blocks = problem_.column_blocks(step.column), next_blocks = problem_.column_blocks(next.column);
    for (std::size_t phase = 0; phase < static_cast<std::size_t>(position.phases); ++phase) {
        panels[phase].weights = weights + blocks * position.panels[phase];
        const bool follows = phase < static_cast<std::size_t>(next_position.phases);
        panels[phase].next.from = next_weights + next_blocks * next_position.panels[phase];
        panels[phase].next.lines = follows ? lines : 0;
    }
}

/// Each group fetches its own tiles at the next position.
void Execution::multiply(const Tiles& tiles, const Step& step, Panels& panels, float* products) const {
    const Problem& p = problem_;
    const Cut& groups = tiles.groups;
    const auto& by_tiles = multiply_[static_cast<std::size_t>(p.column_blocks(step.column) - 1)];
    const Position& position = positions_[static_cast<std::size_t>(step.position)];
    const std::int64_t tile_floats = p.in.blocks * p.lanes, phases = position.phases;
    const float* v = tiles.transformed + position.input_start;
    const float* next = nullptr;
    std::int64_t next_phases = 0, next_lines = 0;
    if (step.chunk > 1 && step.position + 1 < position_count_) {
        const Position& next_position = positions_[static_cast<std::size_t>(step.position + 1)];
        next = tiles.transformed + next_position.input_start;
        next_phases = next_position.phases;
        next_lines = divide_up(groups.size(0) * next_phases * p.lanes / line_floats, phases * step.chunk);
    }
    for (std::int64_t group = 0; group < groups.parts; ++group) {
        const std::int64_t size = groups.size(group), floats = size * tile_floats;
        Ahead ahead;
        if (next != nullptr) ahead = {next + step.in_chunk * floats * next_phases / step.chunk, next_lines};
        by_tiles[static_cast<std::size_t>(size)](v, panels.data(), phases, p.in.channels, products, ahead);
        for (std::int64_t phase = 0; phase < phases; ++phase) {
            Ahead& weights = panels[static_cast<std::size_t>(phase)].next;
            weights.from += p.in.blocks * weights.lines * line_floats;
        }
        v += floats * phases;
        if (next != nullptr) next += floats * next_phases;
        products += size * 2 * p.lanes;
    }
}

}  // namespace seq::cpu::winograd
