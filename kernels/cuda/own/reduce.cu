#include "kernels/cuda/own/reduce_walk.hpp"

namespace seq::cuda::own {
namespace {

template <class T>
struct FloatSumBody {
    using Number = float;
    static constexpr int phases = 1;

    ReduceWalk walk;
    std::int64_t length, results;

    SEQ_BODY static bool is_maximum(int) { return false; }
    SEQ_BODY float term(int, std::int64_t row, std::int64_t i, const float*) const {
        return load_one(static_cast<const T*>(walk.source) + walk.rows.offset(row) + walk.terms.offset(i));
    }
    SEQ_BODY float close(int, float total, const float*) const { return total / walk.divisor; }
    SEQ_BODY void finish(std::int64_t row, std::int64_t, const float* totals) const {
        float value[1] = {totals[0]};
        store_finished<1>(walk.epilogue, row, value, static_cast<T*>(walk.target));
    }
};

template <class T>
struct IntegerSumBody {
    using Number = std::uint64_t;
    static constexpr int phases = 1;

    ReduceWalk walk;
    std::int64_t length, results;

    SEQ_BODY static bool is_maximum(int) { return false; }
    SEQ_BODY Number term(int, std::int64_t row, std::int64_t i, const Number*) const {
        return static_cast<Number>(static_cast<const T*>(walk.source)[walk.rows.offset(row) + walk.terms.offset(i)]);
    }
    SEQ_BODY Number close(int, Number total, const Number*) const { return total; }
    SEQ_BODY void finish(std::int64_t row, std::int64_t, const Number* totals) const {
        static_cast<std::int64_t*>(walk.target)[row] = static_cast<std::int64_t>(totals[0]);
    }
};

}  // namespace

void launch_float_sum(DeviceQueue& queue, const ReduceWalk& walk, std::int64_t rows, RowShape shape) {
    with_storage(walk.storage, [&](auto element) {
        each_row(queue, rows, FloatSumBody<decltype(element)>{walk, walk.length, 1}, shape);
    });
}

void launch_integer_sum(DeviceQueue& queue, const ReduceWalk& walk, std::int64_t rows, RowShape shape) {
    switch (walk.dtype) {
        case DType::i64: return each_row(queue, rows, IntegerSumBody<std::int64_t>{walk, walk.length, 1}, shape);
        case DType::i32: return each_row(queue, rows, IntegerSumBody<std::int32_t>{walk, walk.length, 1}, shape);
        case DType::i8: return each_row(queue, rows, IntegerSumBody<std::int8_t>{walk, walk.length, 1}, shape);
        default: return each_row(queue, rows, IntegerSumBody<std::uint8_t>{walk, walk.length, 1}, shape);
    }
}

}  // namespace seq::cuda::own
