#include "kernels/cuda/own/softmax_walk.hpp"

namespace seq::cuda::own {
namespace {

template <class T>
struct SoftmaxBody {
    using Number = float;
    static constexpr int phases = 2;

    SoftmaxWalk walk;
    std::int64_t length, results;

    SEQ_BODY static bool is_maximum(int phase) { return phase == 0; }
    SEQ_BODY std::int64_t locate(std::int64_t row, std::int64_t i) const {
        const std::int64_t inner = walk.inner.split_off(row);
        return (row * length + i) * walk.inner.size + inner;
    }
    SEQ_BODY float read(std::int64_t row, std::int64_t i) const {
        return walk.sign * load_one(static_cast<const T*>(walk.source) + locate(row, i));
    }

    SEQ_BODY float term(int phase, std::int64_t row, std::int64_t i, const float* totals) const {
        const float x = read(row, i);
        return phase == 0 ? x : expf(x - totals[0]);
    }
    SEQ_BODY float close(int phase, float total, const float*) const {
        return phase == 1 && walk.logarithm ? logf(total) : total;
    }
    SEQ_BODY void finish(std::int64_t row, std::int64_t i, const float* totals) const {
        const float distance = read(row, i) - totals[0];
        float value[1] = {walk.logarithm ? distance - totals[1] : expf(distance) / totals[1]};
        store_finished<1>(walk.epilogue, locate(row, i), value, static_cast<T*>(walk.target));
    }
};

template <class T>
struct GateBody {
    GateWalk walk;

    SEQ_BODY void operator()(std::int64_t position) const {
        const std::int64_t runs = walk.run.divide(position);
        const T* a = static_cast<const T*>(walk.source) + position + runs * walk.run.size;
        float value[1] = {load_one(a) * sigmoid(load_one(a + walk.run.size))};
        store_finished<1>(walk.epilogue, position, value, static_cast<T*>(walk.target));
    }
};

}  // namespace

void launch_softmax(DeviceQueue& queue, const SoftmaxWalk& walk, std::int64_t rows, RowShape shape) {
    with_storage(walk.storage, [&](auto element) {
        each_row(queue, rows, SoftmaxBody<decltype(element)>{walk, walk.length, walk.length}, shape);
    });
}

void launch_gate(DeviceQueue& queue, const GateWalk& walk, std::int64_t count) {
    with_storage(walk.storage, [&](auto element) { each_element(queue, count, GateBody<decltype(element)>{walk}); });
}

}  // namespace seq::cuda::own
