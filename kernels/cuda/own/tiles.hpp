#pragma once

#include "kernels/cuda/own/launch.hpp"

namespace seq::cuda::own {

/// Products of matrices in tiles of 64 by 64, 16 terms at a time. A problem has
///   std::int64_t batches, rows, columns, depth; bool left_by_rows, right_by_columns;
///   float left(batch, row, k), right(batch, column, k); void store(batch, row, column, float)
/// of positions that are there. `left_by_rows`: neighbours in memory are those of adjacent rows, and not of adjacent k;
/// `right_by_columns` likewise.
template <class Problem>
struct TileBody {
    static constexpr int side = 64, terms = 16, each = 4;
    static constexpr int members = (side / each) * (side / each);
    struct Shared {
        float left[terms][side + 1];
        float right[terms][side + 1];
    };
    struct Member {
        float sum[each][each];
    };

    Problem problem;
    Divisor row_tiles, column_tiles;

    SEQ_BODY int phases() const { return static_cast<int>((problem.depth + terms - 1) / terms) * 2 + 1; }

    SEQ_BODY void run(int phase, std::int64_t tile, int rank, Member& member, Shared& shared) const {
        const std::int64_t column = column_tiles.split_off(tile) * side, row = row_tiles.split_off(tile) * side;
        if (phase == 0) clear(member);
        if (phase + 1 == phases()) return write(tile, row, column, rank, member);
        if (phase % 2 == 0) return read(tile, row, column, std::int64_t{phase / 2} * terms, rank, shared);
        multiply(rank, member, shared);
    }

    SEQ_BODY static void clear(Member& member) {
        SEQ_UNROLL
        for (int i = 0; i < each; ++i) {
            SEQ_UNROLL
            for (int j = 0; j < each; ++j) member.sum[i][j] = 0.0f;
        }
    }

    SEQ_BODY void read(std::int64_t batch, std::int64_t row, std::int64_t column, std::int64_t first, int rank,
                       Shared& shared) const {
        for (int at = rank; at < side * terms; at += members) {
            const int i = problem.left_by_rows ? at % side : at / terms,
                      k = problem.left_by_rows ? at / side : at % terms;
            const bool there = row + i < problem.rows && first + k < problem.depth;
            shared.left[k][i] = there ? problem.left(batch, row + i, first + k) : 0.0f;
        }
        for (int at = rank; at < side * terms; at += members) {
            const int i = problem.right_by_columns ? at % side : at / terms;
            const int k = problem.right_by_columns ? at / side : at % terms;
            const bool there = column + i < problem.columns && first + k < problem.depth;
            shared.right[k][i] = there ? problem.right(batch, column + i, first + k) : 0.0f;
        }
    }

    SEQ_BODY static void multiply(int rank, Member& member, const Shared& shared) {
        const int row = rank / (side / each), column = rank % (side / each);
        SEQ_UNROLL
        for (int k = 0; k < terms; ++k) {
            float left[each], right[each];
            SEQ_UNROLL
            for (int i = 0; i < each; ++i) left[i] = shared.left[k][row + i * (side / each)];
            SEQ_UNROLL
            for (int j = 0; j < each; ++j) right[j] = shared.right[k][column + j * (side / each)];
            SEQ_UNROLL
            for (int i = 0; i < each; ++i) {
                SEQ_UNROLL
                for (int j = 0; j < each; ++j) member.sum[i][j] += left[i] * right[j];
            }
        }
    }

    SEQ_BODY void write(std::int64_t batch, std::int64_t row, std::int64_t column, int rank,
                        const Member& member) const {
        SEQ_UNROLL
        for (int i = 0; i < each; ++i) {
            SEQ_UNROLL
            for (int j = 0; j < each; ++j) {
                const std::int64_t r = row + rank / (side / each) + i * (side / each);
                const std::int64_t c = column + rank % (side / each) + j * (side / each);
                if (r < problem.rows && c < problem.columns) problem.store(batch, r, c, member.sum[i][j]);
            }
        }
    }
};

template <class Problem>
void launch_tiles(DeviceQueue& queue, const Problem& problem) {
    using Body = TileBody<Problem>;
    const auto tiles_of = [](std::int64_t size) { return (size + Body::side - 1) / Body::side; };
    const std::int64_t rows = tiles_of(problem.rows), columns = tiles_of(problem.columns);
    const std::int64_t tiles = problem.batches * rows * columns;
    each_tile(queue, tiles, Body{problem, divisor(rows, tiles), divisor(columns, tiles)});
}

}  // namespace seq::cuda::own
