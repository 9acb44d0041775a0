#include "kernels/cuda/own/launch.hpp"
#include "kernels/cuda/own/pool_walk.hpp"

namespace seq::cuda::own {
namespace {

/// Elements begin, begin + step, ... below end of one dimension.
struct Range {
    std::int64_t begin = 0, end = 0, step = 1;
};

template <class T, int N>
struct PoolBody {
    PoolWalk walk;

    /// The elements of window `o` that lie within the input.
    SEQ_BODY Range range(int dim, std::int64_t o) const {
        const std::int64_t size = walk.in.size[dim];
        if (walk.adaptive) {
            const std::int64_t count = walk.out.size[dim];
            return {o * size / count, ((o + 1) * size + count - 1) / count, 1};
        }
        const Slide& slide = walk.slides[dim];
        const std::int64_t start = o * slide.stride - slide.pad_before;
        const std::int64_t extent = slide.dilation * (slide.kernel - 1) + 1;
        const std::int64_t skipped = start < 0 ? (-start + slide.dilation - 1) / slide.dilation : 0;
        return {start + skipped * slide.dilation, least(start + extent, size), slide.dilation};
    }

    SEQ_BODY void add(const T* from, float (&sum)[N]) const {
        float x[N];
        load<N>(from, x);
        SEQ_UNROLL
        for (int i = 0; i < N; ++i) {
            if (walk.pooling == Pooling::largest) sum[i] = x[i] > sum[i] || is_nan(x[i]) ? x[i] : sum[i];
            if (walk.pooling == Pooling::mean) sum[i] += x[i];
            if (walk.pooling == Pooling::norm) sum[i] += powf(x[i], walk.power);
        }
    }

    SEQ_BODY void reduce(const T* plane, const Range (&box)[3], float (&sum)[N]) const {
        for (std::int64_t d = box[0].begin; d < box[0].end; d += box[0].step)
            for (std::int64_t h = box[1].begin; h < box[1].end; h += box[1].step)
                for (std::int64_t w = box[2].begin; w < box[2].end; w += box[2].step)
                    add(plane + d * walk.in.stride[0] + h * walk.in.stride[1] + w * walk.in.stride[2], sum);
    }

    SEQ_BODY static float elements_within(const Range (&box)[3]) {
        float count = 1.0f;
        for (int i = 0; i < 3; ++i) count *= static_cast<float>(most(box[i].end - box[i].begin, 0));
        return count;
    }

    /// The elements of the window, those of the padding included but not those beyond it.
    SEQ_BODY float padded_elements(const Pixel& o) const {
        float count = 1.0f;
        for (int i = 0; i < 3; ++i) {
            const Slide& slide = walk.slides[i];
            const std::int64_t start = o.at[i] * slide.stride - slide.pad_before;
            count *= static_cast<float>(least(start + slide.kernel, walk.in.size[i] + slide.pad_after) - start);
        }
        return count;
    }

    SEQ_BODY float finish(float sum, const Pixel& o, const Range (&box)[3]) const {
        if (walk.pooling == Pooling::largest) return sum;
        const float within = elements_within(box);
        if (walk.pooling == Pooling::norm) {
            float whole = 1.0f;
            for (int i = 0; i < 3; ++i) whole *= static_cast<float>(walk.slides[i].kernel);
            return powf(sum / within * whole, 1.0f / walk.power);
        }
        if (within == 0.0f && !walk.adaptive) return 0.0f;
        return sum / (walk.divisor != 0.0f ? walk.divisor : walk.counts_padding ? padded_elements(o) : within);
    }

    SEQ_BODY void operator()(std::int64_t position) const {
        const Pixel o = walk.space.locate(position);
        const Range box[3] = {range(0, o.at[0]), range(1, o.at[1]), range(2, o.at[2])};
        float value[N];
        for (int i = 0; i < N; ++i) value[i] = walk.pooling == Pooling::largest ? neutral<float>(true) : 0.0f;
        reduce(static_cast<const T*>(walk.source) + walk.in.plane(o.n, o.c), box, value);
        for (int i = 0; i < N; ++i) value[i] = finish(value[i], o, box);
        store_finished<N>(walk.epilogue, position, value, static_cast<T*>(walk.target));
    }
};

}  // namespace

void launch_pool(DeviceQueue& queue, const PoolWalk& walk, std::int64_t count) {
    with_storage(walk.storage, [&](auto element) {
        using T = decltype(element);
        if (walk.space.width == 4) return each_element(queue, count, PoolBody<T, 4>{walk});
        each_element(queue, count, PoolBody<T, 1>{walk});
    });
}

}  // namespace seq::cuda::own
