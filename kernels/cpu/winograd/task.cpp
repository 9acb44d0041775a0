#include "kernels/cpu/winograd/task.hpp"

#include <atomic>

#include "kernels/cpu/parallel.hpp"

namespace seq::cpu::winograd {
namespace {

constexpr std::int64_t line_floats = 16;

/// Calls body(task, worker) for each task. Each worker takes the next one when it is done with one, so that a core that
/// is busy elsewhere holds up none.
template <class Body>
void share_tasks(std::int64_t workers, std::int64_t count, const Body& body) {
    std::atomic<std::int64_t> next{0};
    parallel_for(std::min(workers, count), 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t worker = first; worker < last; ++worker) {
            for (std::int64_t i = next++; i < count; i = next++) body(i, worker);
        }
    });
}

}  // namespace

Execution::Execution(const Problem& problem, Isa isa, int threads) : problem_(problem), workers_(threads) {
    const bool wide = isa == Isa::avx512;
    transforms_ = wide ? transforms_avx512(problem.tile) : transforms_avx2(problem.tile);
    for (int columns = 1; columns <= 2; ++columns) {
        for (int tiles = 1; tiles <= problem.largest_group(); ++tiles) {
            multiply_.at(static_cast<std::size_t>(columns - 1)).at(static_cast<std::size_t>(tiles)) =
                wide ? multiply_avx512(tiles, columns) : multiply_avx2(tiles, columns);
        }
    }
    direct_ = direct_task(problem, isa);
}

std::int64_t Execution::scratch_floats() const {
    const Problem& p = problem_;
    const std::int64_t fast = p.shared ? p.input_floats() + workers_ * p.product_floats()
                                       : workers_ * (p.input_floats() + p.product_floats());
    return std::max(fast, workers_ * direct_floats(p));
}

void Execution::run(const Operands& operands, float* scratch) const {
    problem_.shared ? run_shared(operands, scratch) : run_own(operands, scratch);
}

void Execution::run_careful(const Operands& operands, float* scratch) const {
    share_tasks(workers_, problem_.batch * problem_.out.blocks, [&](std::int64_t task, std::int64_t worker) {
        direct_(&problem_, &operands, task, scratch + worker * direct_floats(problem_));
    });
}

void Execution::run_own(const Operands& operands, float* scratch) const {
    const Problem& p = problem_;
    share_tasks(workers_, p.blocks, [&](std::int64_t block, std::int64_t worker) {
        float* const transformed = scratch + worker * (p.input_floats() + p.product_floats());
        const std::int64_t first = p.block_cut().start(block), count = p.block_cut().size(block);
        const Cut groups = p.groups_of(count);
        for (std::int64_t tile = 0; tile < count; ++tile) transform(operands, first, groups, tile, transformed);
        for (std::int64_t chunk = 0; chunk < p.chunks(); ++chunk)
            do_chunk(operands, {first, groups, 0, groups.parts}, transformed, chunk, transformed + p.input_floats());
    });
}

void Execution::run_shared(const Operands& operands, float* scratch) const {
    const Problem& p = problem_;
    float* const transformed = scratch;
    const std::int64_t grain = 1 + 2048 / p.in.channels;
    for (std::int64_t block = 0; block < p.blocks; ++block) {
        const std::int64_t first = p.block_cut().start(block), count = p.block_cut().size(block);
        const Cut groups = p.groups_of(count);
        parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t tile = begin; tile < end; ++tile) transform(operands, first, groups, tile, transformed);
        });
        const Cut parts{groups.parts, std::min(p.parts, groups.parts)};
        share_tasks(workers_, p.chunks() * parts.parts, [&](std::int64_t task, std::int64_t worker) {
            const std::int64_t start = parts.start(task % parts.parts);
            const Part part{first, groups, start, start + parts.size(task % parts.parts)};
            float* const products = scratch + p.input_floats() + worker * p.product_floats();
            do_chunk(operands, part, transformed, task / parts.parts, products);
        });
    }
}

/// Tile `tile` of a block.
void Execution::transform(const Operands& operands, std::int64_t first_tile, Cut groups, std::int64_t tile,
                          float* transformed) const {
    const Problem& p = problem_;
    const std::int64_t group = groups.part_of(tile), start = groups.start(group);
    float* const target = transformed + (start * p.in.blocks + tile - start) * p.lanes;
    transforms_.input(p, operands.input, first_tile + tile, target, groups.size(group) * p.lanes);
}

void Execution::do_chunk(const Operands& operands, const Part& part, const float* transformed, std::int64_t chunk,
                         float* products) const {
    const Problem& p = problem_;
    const std::int64_t column_floats = p.positions() * p.product_stride();
    const std::int64_t first = chunk * p.chunk_columns, end = std::min(first + p.chunk_columns, p.columns());
    const auto panel = [&](std::int64_t position, std::int64_t column) {
        return operands.weights + p.weight_start(column, position);
    };
    for (std::int64_t position = 0; position < p.positions(); ++position) {
        for (std::int64_t column = first; column < end; ++column) {
            const bool last = position + 1 == p.positions() && column + 1 == end;
            const float* next = last ? panel(0, end % p.columns())
                                : column + 1 < end ? panel(position, column + 1) : panel(position + 1, first);
            const bool fetches = p.shared && position + 1 < p.positions();
            const std::int64_t share = fetches ? column - first : -1;
            multiply(part, transformed + position * p.input_stride(), panel(position, column), next,
                     p.column_blocks(column), share, end - first,
                     products + (column - first) * column_floats + position * p.product_stride());
        }
    }
    const std::int64_t start = part.groups.start(part.first_group), stop = part.groups.start(part.end_group);
    for (std::int64_t column = first; column < end; ++column) {
        const float* from = products + (column - first) * column_floats;
        for (std::int64_t tile = start; tile < stop; ++tile, from += 2 * p.lanes)
            transforms_.back(p, from, part.first_tile + tile, column, operands.epilogue, operands.output);
    }
}

/// One position and column of `blocks` blocks of a part; `transformed` is the block's at that position.
void Execution::multiply(const Part& part, const float* transformed, const float* weights, const float* next,
                         int blocks, std::int64_t share, std::int64_t sharers, float* products) const {
    const Problem& p = problem_;
    // Each group fetches its share of the weights that follow.
    const Cut shares{p.in.channels * blocks * p.lanes / line_floats, part.end_group - part.first_group};
    const std::int64_t lines = p.lanes * blocks * p.lanes / line_floats;
    const auto& by_tiles = multiply_[static_cast<std::size_t>(blocks - 1)];
    for (std::int64_t i = 0; i < shares.parts; ++i) {
        const std::int64_t group = part.first_group + i, tiles = part.groups.size(group);
        const Ahead ahead{next + shares.start(i) * line_floats, (lines + shares.parts - 1) / shares.parts};
        const float* v = transformed + part.groups.start(group) * p.in.blocks * p.lanes;
        const std::int64_t v_lines = tiles * p.in.blocks * p.lanes / line_floats;
        const Cut v_shares{v_lines, sharers};
        Ahead tiles_ahead;
        if (share >= 0) tiles_ahead = {v + p.input_stride() + v_shares.start(share) * line_floats, (tiles * p.lanes / line_floats + sharers - 1) / sharers};
        by_tiles[static_cast<std::size_t>(tiles)](v, weights, p.in.channels, products, ahead, tiles_ahead);
        products += tiles * 2 * p.lanes;
    }
}

}  // namespace seq::cpu::winograd
