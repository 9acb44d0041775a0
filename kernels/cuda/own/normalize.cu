#include "kernels/cuda/own/normalize_walk.hpp"

namespace seq::cuda::own {
namespace {

SEQ_BODY float scaled(const NormWeights& weights, std::int64_t at, float value) {
    return value * (weights.weight == nullptr ? 1.0f : weights.weight[at]) +
           (weights.bias == nullptr ? 0.0f : weights.bias[at]);
}

template <class T>
struct ChannelNormBody {
    ChannelNormWalk walk;

    SEQ_BODY void operator()(std::int64_t position) const {
        std::int64_t outer = walk.inner.divide(position);
        const std::int64_t c = walk.channels.split_off(outer);
        const float x = load_one(static_cast<const T*>(walk.source) + position);
        const float scale = 1.0f / sqrtf(walk.variance[c] + walk.eps);
        float value[1] = {scaled(walk.weights, c, (x - walk.mean[c]) * scale)};
        store_finished<1>(walk.epilogue, position, value, static_cast<T*>(walk.target));
    }
};

template <class T>
struct RowNormBody {
    using Number = float;
    static constexpr int phases = 2;

    RowNormWalk walk;
    std::int64_t length, results;

    SEQ_BODY static bool is_maximum(int) { return false; }

    /// Splits `i` into its two parts, and gives where it lies.
    SEQ_BODY std::int64_t locate(std::int64_t row, std::int64_t& outer, std::int64_t& inner) const {
        const std::int64_t in_period = walk.period.split_off(row);
        inner = walk.inner.split_off(outer);
        return row * walk.outer_row + in_period * walk.inner_row + outer * walk.outer + inner * walk.step;
    }
    SEQ_BODY float read(std::int64_t row, std::int64_t i) const {
        std::int64_t inner = 0;
        return load_one(static_cast<const T*>(walk.source) + locate(row, i, inner));
    }

    SEQ_BODY float term(int phase, std::int64_t row, std::int64_t i, const float* totals) const {
        if (phase == 0) return walk.centred ? read(row, i) : 0.0f;
        const float difference = read(row, i) - totals[0];
        return difference * difference;
    }
    SEQ_BODY float close(int phase, float total, const float*) const {
        const float mean = total / static_cast<float>(walk.length);
        return phase == 0 ? mean : 1.0f / sqrtf(mean + walk.eps);
    }
    SEQ_BODY void finish(std::int64_t row, std::int64_t i, const float* totals) const {
        std::int64_t inner = 0, in_period = row;
        const std::int64_t at = locate(row, i, inner);
        in_period = walk.period.split_off(in_period);
        const std::int64_t weight = in_period * walk.row_weight + i * walk.outer_weight + inner * walk.inner_weight;
        const float x = load_one(static_cast<const T*>(walk.source) + at);
        float value[1] = {scaled(walk.weights, weight, (x - totals[0]) * totals[1])};
        store_finished<1>(walk.epilogue, at, value, static_cast<T*>(walk.target));
    }
};

template <class T>
struct ResponseNormBody {
    ResponseNormWalk walk;

    SEQ_BODY void operator()(std::int64_t position) const {
        std::int64_t outer = walk.inner.divide(position);
        const std::int64_t c = walk.channels.split_off(outer);
        const T* x = static_cast<const T*>(walk.source) + position;
        const std::int64_t first = most(c - walk.before, 0), last = least(c + walk.after, walk.channels.size);
        float squares = 0.0f;
        for (std::int64_t j = first; j < last; ++j) {
            const float value = load_one(x + (j - c) * walk.stride);
            squares += value * value;
        }
        float value[1] = {load_one(x) / powf(walk.k + walk.alpha * (squares / walk.size), walk.beta)};
        store_finished<1>(walk.epilogue, position, value, static_cast<T*>(walk.target));
    }
};

}  // namespace

void launch_channel_norm(DeviceQueue& queue, const ChannelNormWalk& walk, std::int64_t count) {
    with_storage(walk.storage,
                 [&](auto element) { each_element(queue, count, ChannelNormBody<decltype(element)>{walk}); });
}

void launch_row_norm(DeviceQueue& queue, const RowNormWalk& walk, std::int64_t rows, RowShape shape) {
    with_storage(walk.storage, [&](auto element) {
        each_row(queue, rows, RowNormBody<decltype(element)>{walk, walk.length, walk.length}, shape);
    });
}

void launch_response_norm(DeviceQueue& queue, const ResponseNormWalk& walk, std::int64_t count) {
    with_storage(walk.storage,
                 [&](auto element) { each_element(queue, count, ResponseNormBody<decltype(element)>{walk}); });
}

}  // namespace seq::cuda::own
