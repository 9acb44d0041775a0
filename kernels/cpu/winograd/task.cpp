#include "kernels/cpu/winograd/task.hpp"

namespace seq::cpu::winograd {
namespace {

template <int Tile>
struct Task {
    template <int N>
    SEQ_INLINE static void run(const Problem* problem, const Operands* operands, std::int64_t index, float* scratch) {
        const Problem& p = *problem;
        const std::int64_t first = index % p.tile_blocks() * p.block_tiles;
        const std::int64_t count = std::min(p.block_tiles, p.tiles() - first);
        float* const transformed = scratch;
        float* const products = scratch + p.positions() * p.input_stride();
        transform_tiles<N, Tile>(p, operands->input, first, count, transformed);

        const std::int64_t start = index / p.tile_blocks() * p.task_columns;
        const std::int64_t end = std::min(start + p.task_columns, p.columns());
        const std::int64_t column_floats = p.positions() * p.in_blocks() * N * 2 * N;
        for (std::int64_t column = start; column < end; ++column) {
            const float* weights = operands->weights + column * column_floats;
            const bool pair = column * 2 + 1 < p.out_blocks();
            multiply_tiles(p, transformed, weights, count, pair ? 2 : 1, operands->multiply[pair ? 1 : 0], products);
            for (int half = 0; half < (pair ? 2 : 1); ++half) {
                transform_back<N, Tile>(p, products + half * N, first, count, column * 2 + half, operands->epilogue,
                                        operands->output);
            }
        }
    }
};

}  // namespace

TaskFunction winograd_task(const Problem& problem, Isa isa) {
    if (isa == Isa::scalar) return nullptr;
    using Body = void (*)(const Problem*, const Operands*, std::int64_t, float*);
    const Body four = simd::select<Task<4>, const Problem*, const Operands*, std::int64_t, float*>(isa);
    const Body two = simd::select<Task<2>, const Problem*, const Operands*, std::int64_t, float*>(isa);
    return problem.tile == 4 ? four : two;
}

}  // namespace seq::cpu::winograd
