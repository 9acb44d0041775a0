#include "kernels/cuda/own/convolution_walk.hpp"
#include "kernels/cuda/own/tiles.hpp"

namespace seq::cuda::own {
namespace {

/// The input position that element `k` of a window finds for output position `o`; -1: none, a zero.
SEQ_BODY std::int64_t source(const ConvolutionWalk& walk, int dim, std::int64_t o, std::int64_t k) {
    const Slide& slide = walk.slides[dim];
    const std::int64_t size = walk.in.size[dim];
    if (walk.transposed) {
        const std::int64_t distance = o + slide.pad_before - k * slide.dilation;
        if (distance < 0) return -1;
        const std::int64_t i = walk.strides[dim].divide(distance);
        return i * slide.stride != distance || i >= size ? -1 : i;
    }
    const std::int64_t i = o * slide.stride - slide.pad_before + k * slide.dilation;
    if (i >= 0 && i < size) return i;
    switch (walk.border) {
        case Border::constant: return -1;
        case Border::reflect: return reflected(i, size);
        case Border::replicate: return i < 0 ? 0 : size - 1;
        case Border::circular: return (i % size + size) % size;
    }
    return -1;
}

SEQ_BODY float read(const ConvolutionWalk& walk, std::int64_t at) {
    return load_one(walk.source, walk.source_storage, at);
}

struct DirectBody {
    ConvolutionWalk walk;

    /// Over the channels of a group, for one pixel and one element of the window.
    SEQ_BODY float sum_channels(std::int64_t pixel, const float* weight) const {
        float sum = 0.0f;
        for (std::int64_t ic = 0; ic < walk.in_members; ++ic)
            sum += read(walk, pixel + ic * walk.in.channel_stride) * rounded(weight[ic * walk.weight_in], walk.factors);
        return sum;
    }

    SEQ_BODY float sum_window(const Pixel& o, std::int64_t plane, const float* weight) const {
        float sum = 0.0f;
        std::int64_t tap = 0;
        for (std::int64_t kd = 0; kd < walk.slides[0].kernel; ++kd) {
            const std::int64_t d = source(walk, 0, o.at[0], kd);
            for (std::int64_t kh = 0; kh < walk.slides[1].kernel; ++kh) {
                const std::int64_t h = source(walk, 1, o.at[1], kh);
                for (std::int64_t kw = 0; kw < walk.slides[2].kernel; ++kw, ++tap) {
                    const std::int64_t w = source(walk, 2, o.at[2], kw);
                    if (d < 0 || h < 0 || w < 0) continue;
                    sum += sum_channels(plane + d * walk.in.stride[0] + h * walk.in.stride[1] + w * walk.in.stride[2],
                                        weight + tap);
                }
            }
        }
        return sum;
    }

    SEQ_BODY void operator()(std::int64_t position) const {
        const Pixel o = walk.space.locate(position);
        std::int64_t group = o.c;
        const std::int64_t member = walk.members.split_off(group);
        const float* weight = walk.weight + group * walk.weight_group + member * walk.weight_out;
        const float sum = sum_window(o, walk.in.plane(o.n, group * walk.in_members), weight);
        const float biased = sum + (walk.bias == nullptr ? 0.0f : walk.bias[o.c]);
        store_one(walk.target, walk.target_storage, position, finished(walk.epilogue, position, biased));
    }
};

/// `N` channels that lie together, in input and output alike.
template <class T, int N>
struct DepthwiseBody {
    ConvolutionWalk walk;

    SEQ_BODY void add(const T* from, const float* weight, float (&sum)[N]) const {
        float x[N], w[N];
        load<N>(from, x);
        if (walk.weight_group == 1) {
            load<N>(weight, w);
        } else {
            SEQ_UNROLL
            for (int i = 0; i < N; ++i) w[i] = weight[i * walk.weight_group];
        }
        SEQ_UNROLL
        for (int i = 0; i < N; ++i) sum[i] += x[i] * rounded(w[i], walk.factors);
    }

    SEQ_BODY void sum_window(const Pixel& o, float (&sum)[N]) const {
        const T* plane = static_cast<const T*>(walk.source) + walk.in.plane(o.n, o.c);
        const float* weight = walk.weight + o.c * walk.weight_group;
        for (std::int64_t kd = 0; kd < walk.slides[0].kernel; ++kd) {
            const std::int64_t d = source(walk, 0, o.at[0], kd);
            for (std::int64_t kh = 0; kh < walk.slides[1].kernel; ++kh) {
                const std::int64_t h = source(walk, 1, o.at[1], kh);
                for (std::int64_t kw = 0; kw < walk.slides[2].kernel; ++kw, weight += walk.weight_tap) {
                    const std::int64_t w = source(walk, 2, o.at[2], kw);
                    if (d >= 0 && h >= 0 && w >= 0)
                        add(plane + d * walk.in.stride[0] + h * walk.in.stride[1] + w * walk.in.stride[2], weight, sum);
                }
            }
        }
    }

    SEQ_BODY void operator()(std::int64_t position) const {
        const Pixel o = walk.space.locate(position);
        float value[N];
        SEQ_UNROLL
        for (int i = 0; i < N; ++i) value[i] = walk.bias == nullptr ? 0.0f : walk.bias[o.c + i];
        sum_window(o, value);
        if (walk.epilogue.step_count > 0) evaluate_apart<N>(walk.epilogue, position, value);
        store<N>(walk.target, walk.target_storage, position * N, value);
    }
};

/// Rows: the output's pixels; columns: the channels of a group; k: channels of the input and elements of the window, of
/// which those that lie together go fastest.
struct ConvolutionProblem {
    std::int64_t batches, rows, columns, depth;
    bool left_by_rows, right_by_columns;
    ConvolutionWalk walk;
    Divisor samples;  ///< pixels of one
    Space pixels;     ///< depth, height and width of the output
    Space window;
    Divisor fastest;  ///< of k: the window, or the channels

    /// Splits k into its channel and its element of the window.
    SEQ_BODY std::int64_t split(std::int64_t& k) const {
        const std::int64_t fast = fastest.split_off(k);
        if (left_by_rows) {
            const std::int64_t channel = k;
            k = fast;
            return channel;
        }
        return fast;
    }

    SEQ_BODY float left(std::int64_t group, std::int64_t row, std::int64_t k) const {
        std::int64_t o[max_dims], tap[max_dims];
        pixels.locate(samples.split_off(row), o);
        const std::int64_t channel = split(k);
        window.locate(k, tap);
        std::int64_t at = walk.in.plane(row, group * walk.in_members + channel);
        SEQ_UNROLL
        for (int dim = 0; dim < 3; ++dim) {
            const std::int64_t i = source(walk, dim, o[dim], tap[dim]);
            if (i < 0) return 0.0f;
            at += i * walk.in.stride[dim];
        }
        return read(walk, at);
    }

    SEQ_BODY float right(std::int64_t group, std::int64_t column, std::int64_t k) const {
        const std::int64_t channel = split(k);
        return rounded(walk.weight[group * walk.weight_group + channel * walk.weight_in + column * walk.weight_out + k],
                       walk.factors);
    }

    SEQ_BODY void store(std::int64_t group, std::int64_t row, std::int64_t column, float sum) const {
        std::int64_t o[max_dims];
        pixels.locate(samples.split_off(row), o);
        const std::int64_t channel = group * walk.out_members + column;
        std::int64_t at = walk.out.plane(row, channel);
        SEQ_UNROLL
        for (int dim = 0; dim < 3; ++dim) at += o[dim] * walk.out.stride[dim];
        const float biased = sum + (walk.bias == nullptr ? 0.0f : walk.bias[channel]);
        store_one(walk.target, walk.target_storage, at, finished(walk.epilogue, at, biased));
    }
};

Space space_of(std::int64_t depth, std::int64_t height, std::int64_t width) {
    const std::int64_t largest = depth * height * width;
    Space space;
    space.rank = 3;
    space.sizes[0] = divisor(depth, largest);
    space.sizes[1] = divisor(height, largest);
    space.sizes[2] = divisor(width, largest);
    return space;
}

}  // namespace

void launch_direct(DeviceQueue& queue, const ConvolutionWalk& walk, std::int64_t count) {
    each_element(queue, count, DirectBody{walk});
}

void launch_depthwise(DeviceQueue& queue, const ConvolutionWalk& walk, std::int64_t count) {
    with_storage(walk.source_storage, [&](auto element) {
        using T = decltype(element);
        if (walk.space.width == 4) return each_element(queue, count, DepthwiseBody<T, 4>{walk});
        each_element(queue, count, DepthwiseBody<T, 1>{walk});
    });
}

void launch_tiled(DeviceQueue& queue, const ConvolutionWalk& walk) {
    const std::int64_t rows = walk.out.batch * walk.out.volume(), depth = walk.in_members * walk.taps;
    const bool by_rows = !walk.space.channels_last;
    const auto& [d, h, w] = walk.slides;
    launch_tiles(queue, ConvolutionProblem{walk.groups, rows, walk.out_members, depth, by_rows, false, walk,
                                           divisor(walk.out.volume(), rows),
                                           space_of(walk.out.size[0], walk.out.size[1], walk.out.size[2]),
                                           space_of(d.kernel, h.kernel, w.kernel),
                                           divisor(by_rows ? walk.taps : walk.in_members, depth)});
}

}  // namespace seq::cuda::own
