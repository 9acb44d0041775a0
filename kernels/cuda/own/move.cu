#include "kernels/cuda/own/launch.hpp"
#include "kernels/cuda/own/move_walk.hpp"

namespace seq::cuda::own {
namespace {

struct alignas(16) SixteenBytes {
    std::uint64_t half[2];
};

template <class T>
struct MoveBody {
    MoveWalk walk;

    SEQ_BODY void operator()(std::int64_t i) const {
        std::int64_t at[max_dims];
        walk.space.locate(i, at);
        static_cast<T*>(walk.target)[walk.to.offset(at, walk.space.rank)] =
            static_cast<const T*>(walk.source)[walk.from.offset(at, walk.space.rank)];
    }
};

/// Squares of 32 by 32 elements, by way of memory in common, so that both sides are read and written along their rows.
struct TransposeBody {
    static constexpr int side = 32;
    static constexpr int members = 256;
    static constexpr int step = members / side;
    struct Member {};
    struct Shared {
        float square[side][side + 1];
    };

    TransposeWalk walk;
    Divisor row_squares, column_squares;

    SEQ_BODY int phases() const { return 2; }

    SEQ_BODY void run(int phase, std::int64_t tile, int rank, Member&, Shared& shared) const {
        const std::int64_t row = row_squares.split_off(tile) * side, column = column_squares.split_off(tile) * side;
        phase == 0 ? read(tile, row, column, rank, shared) : write(tile, row, column, rank, shared);
    }

    SEQ_BODY void read(std::int64_t batch, std::int64_t row, std::int64_t column, int rank, Shared& shared) const {
        const std::int64_t c = column + rank % side;
        for (int y = rank / side; y < side; y += step) {
            const std::int64_t r = row + y;
            const bool there = r < walk.rows && c < walk.columns;
            shared.square[y][rank % side] =
                there ? load_one(walk.source, walk.source_storage, (batch * walk.rows + r) * walk.source_row + c)
                      : 0.0f;
        }
    }

    SEQ_BODY void write(std::int64_t batch, std::int64_t row, std::int64_t column, int rank, Shared& shared) const {
        const std::int64_t r = row + rank % side;
        for (int y = rank / side; y < side; y += step) {
            const std::int64_t c = column + y;
            if (r >= walk.target_row || c >= walk.columns) continue;
            store_one(walk.target, walk.target_storage, (batch * walk.columns + c) * walk.target_row + r,
                      shared.square[rank % side][y]);
        }
    }
};

std::int64_t squares(std::int64_t size) { return (size + TransposeBody::side - 1) / TransposeBody::side; }

}  // namespace

void launch_walk(DeviceQueue& queue, const MoveWalk& walk, std::int64_t count) {
    switch (walk.bytes) {
        case 1: return each_element(queue, count, MoveBody<std::uint8_t>{walk});
        case 2: return each_element(queue, count, MoveBody<std::uint16_t>{walk});
        case 4: return each_element(queue, count, MoveBody<std::uint32_t>{walk});
        case 8: return each_element(queue, count, MoveBody<std::uint64_t>{walk});
        default: return each_element(queue, count, MoveBody<SixteenBytes>{walk});
    }
}

void launch_transpose(DeviceQueue& queue, const TransposeWalk& walk) {
    const std::int64_t rows = squares(walk.target_row), columns = squares(walk.columns);
    const std::int64_t tiles = walk.batch * rows * columns;
    each_tile(queue, tiles, TransposeBody{walk, divisor(rows, tiles), divisor(columns, tiles)});
}

}  // namespace seq::cuda::own
