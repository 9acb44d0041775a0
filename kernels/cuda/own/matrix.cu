#include "kernels/cuda/own/matrix_walk.hpp"
#include "kernels/cuda/own/tiles.hpp"

namespace seq::cuda::own {
namespace {

struct MatrixProblem {
    std::int64_t batches, rows, columns, depth;
    bool left_by_rows, right_by_columns;
    MatrixWalk walk;

    SEQ_BODY std::int64_t matrix(const MatrixWalk::Side& side, std::int64_t batch) const {
        std::int64_t at[max_dims];
        walk.batch.locate(batch, at);
        return side.batch.offset(at, walk.batch.rank);
    }
    SEQ_BODY float element(const MatrixWalk::Side& side, std::int64_t batch, std::int64_t line, std::int64_t k) const {
        const std::int64_t at = matrix(side, batch) + line * side.line + k * side.term;
        return rounded(load_one(side.data, side.storage, at), walk.factors);
    }
    SEQ_BODY float left(std::int64_t batch, std::int64_t row, std::int64_t k) const {
        if (walk.gate.data == nullptr) return element(walk.left, batch, row, k);
        const std::int64_t second = walk.gate_width.split_off(k);
        return element(walk.left, batch, row, k) * element(walk.gate, batch, row, second);
    }
    SEQ_BODY float right(std::int64_t batch, std::int64_t column, std::int64_t k) const {
        return element(walk.right, batch, column, k);
    }
    SEQ_BODY void store(std::int64_t batch, std::int64_t row, std::int64_t column, float sum) const {
        const std::int64_t at = (batch * rows + row) * columns + column;
        const float biased = sum + (walk.bias == nullptr ? 0.0f : walk.bias[column]);
        store_one(walk.target, walk.storage, at, finished(walk.epilogue, at, biased));
    }
};

/// One element of the result a row: for few rows of the left side.
struct DotBody {
    using Number = float;
    static constexpr int phases = 1;

    MatrixProblem problem;
    Divisor rows, columns;
    std::int64_t length, results;

    SEQ_BODY static bool is_maximum(int) { return false; }
    SEQ_BODY float term(int, std::int64_t at, std::int64_t k, const float*) const {
        const std::int64_t column = columns.split_off(at), row = rows.split_off(at);
        return problem.left(at, row, k) * problem.right(at, column, k);
    }
    SEQ_BODY float close(int, float total, const float*) const { return total; }
    SEQ_BODY void finish(std::int64_t at, std::int64_t, const float* totals) const {
        const std::int64_t column = columns.split_off(at), row = rows.split_off(at);
        problem.store(at, row, column, totals[0]);
    }
};

constexpr std::int64_t few_rows = 8;

}  // namespace

void launch_product(DeviceQueue& queue, const MatrixWalk& walk) {
    const bool left_by_rows = walk.left.term != 1 && walk.left.line == 1;
    const bool right_by_columns = walk.right.term != 1 && walk.right.line == 1;
    const MatrixProblem problem{walk.batches, walk.rows,        walk.columns, walk.depth,
                                left_by_rows, right_by_columns, walk};
    const std::int64_t count = walk.batches * walk.rows * walk.columns;
    if (walk.rows > few_rows && walk.columns > few_rows) return launch_tiles(queue, problem);
    const RowShape shape = right_by_columns ? RowShape::adjacent : RowShape::narrow;
    each_row(queue, count, DotBody{problem, divisor(walk.rows, count), divisor(walk.columns, count), walk.depth, 1},
             shape);
}

}  // namespace seq::cuda::own
