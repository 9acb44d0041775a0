#include "kernels/cpu/winograd/task.hpp"
#include "kernels/cpu/winograd/transform.hpp"

namespace seq::cpu::winograd {
namespace {

using simd::Float;

/// kernel[channel][3][3][lane] of one block of output channels, from its transform.
template <int N, class Form>
SEQ_INLINE void restore_kernel(const Problem& p, const float* packed, std::int64_t block, float* kernel) {
    constexpr int size = Form::panels;
    const std::int64_t width = p.column_blocks(block / 2) * N;
    const float* column = packed + block % 2 * N;
    for (std::int64_t c = 0; c < p.in.channels; ++c) {
        std::array<Float<N>, 3> rows[size];
        for (int i = 0; i < size; ++i) {
            Float<N> u[size];
            for (int j = 0; j < size; ++j)
                u[j] = simd::load<N>(column + p.weight_start(block / 2, i * size + j) + c * width);
            rows[i] = Form::restore_weights(u);
        }
        for (std::size_t x = 0; x < 3; ++x) {
            Float<N> u[size];
            for (int i = 0; i < size; ++i) u[i] = rows[i][x];
            const auto restored = Form::restore_weights(u);
            for (std::size_t y = 0; y < 3; ++y)
                simd::store<N>(kernel + (static_cast<std::size_t>(c) * 9 + y * 3 + x) * N, restored[y]);
        }
    }
}

template <int N>
SEQ_INLINE Float<N> sum_at(const Problem& p, const float* picture, const float* kernel, std::int64_t y,
                           std::int64_t x) {
    Float<N> sum{};
    for (std::int64_t c = 0; c < p.in.channels; ++c) {
        const float* channel = picture + c / N * p.in.block + c % N;
        for (std::int64_t i = 0; i < 3; ++i) {
            const std::int64_t row = y * p.stride + i * p.row_dilation - p.pad_top;
            if (row < 0 || row >= p.in.height) continue;
            for (std::int64_t j = 0; j < 3; ++j) {
                const std::int64_t column = x * p.stride + j * p.column_dilation - p.pad_left;
                if (column < 0 || column >= p.in.width) continue;
                sum += channel[row * p.in.row + column * p.in.pixel] * simd::load<N>(kernel + (c * 9 + i * 3 + j) * N);
            }
        }
    }
    return sum;
}

/// kernel[channel][3][lane] of one block of output channels of a convolution along lines, from its transform.
template <int N, class Form>
SEQ_INLINE void restore_line_kernel(const Problem& p, const float* packed, std::int64_t block, float* kernel) {
    const std::int64_t width = p.column_blocks(block / 2) * N;
    const float* column = packed + block % 2 * N;
    for (std::int64_t c = 0; c < p.in.channels; ++c) {
        Float<N> u[Form::panels];
        for (int i = 0; i < Form::panels; ++i) u[i] = simd::load<N>(column + p.weight_start(block / 2, i) + c * width);
        for (const Float<N>& restored : Form::restore_weights(u)) {
            simd::store<N>(kernel, restored);
            kernel += N;
        }
    }
}

template <int N>
SEQ_INLINE Float<N> line_sum_at(const Problem& p, const float* picture, const float* kernel, std::int64_t y,
                                std::int64_t x) {
    const std::int64_t first = y % p.dilation + x * p.dilation - p.pad_left, step = p.in.pixel / p.dilation;
    Float<N> sum{};
    for (std::int64_t i = 0; i < 3; ++i) {
        const std::int64_t at = first + i * p.dilation;
        if (at < 0 || at >= p.in.length) continue;
        const float* pixel = picture + (y - y % p.dilation) * p.in.row + at * step;
        for (std::int64_t c = 0; c < p.in.channels; ++c)
            sum += pixel[c / N * p.in.block + c % N] * simd::load<N>(kernel + (c * 3 + i) * N);
    }
    return sum;
}

template <class Form>
struct Direct {
    template <int N>
    SEQ_INLINE static void run(const Problem* problem, const Operands* operands, std::int64_t index, float* scratch) {
        const Problem& p = *problem;
        const std::int64_t picture = index % p.batch, block = index / p.batch;
        const Epilogue& epilogue = operands->epilogue;
        const Float<N> bias = epilogue.bias == nullptr ? Float<N>{} : simd::load<N>(epilogue.bias + block * N);
        const int lanes = block + 1 < p.out.blocks ? N : p.out.last_lanes;
        p.lines ? restore_line_kernel<N, Form>(p, operands->weights, block, scratch)
                : restore_kernel<N, Form>(p, operands->weights, block, scratch);
        for (std::int64_t y = 0; y < p.out.height; ++y) {
            std::int64_t at = picture * p.out.picture + block * p.out.block + y * p.out.row;
            const std::int64_t width = p.lines ? divide_up(p.out.length - y % p.dilation, p.dilation) : p.out.width;
            const float* input = operands->input + picture * p.in.picture;
            for (std::int64_t x = 0; x < width; ++x, at += p.out.pixel) {
                Float<N> sum = p.lines ? line_sum_at<N>(p, input, scratch, y, x) : sum_at<N>(p, input, scratch, y, x);
                sum += bias;
                if (epilogue.residual != nullptr) sum += simd::load_part<N>(epilogue.residual + at, lanes);
                sum = simd::at_most<N>(simd::at_least<N>(sum, epilogue.low), epilogue.high);
                simd::store_part<N>(operands->output + at, sum, lanes);
            }
        }
    }
};

template <int Tile, int Stride>
DirectTask select(Isa isa) {
    return simd::select<Direct<Filtering<Tile, Stride>>, const Problem*, const Operands*, std::int64_t, float*>(isa);
}

}  // namespace

DirectTask direct_task(const Problem& problem, Isa isa) {
    if (isa == Isa::scalar) return nullptr;
    if (problem.stride == 1) return problem.tile == 4 ? select<4, 1>(isa) : select<2, 1>(isa);
    return problem.tile == 4 ? select<4, 2>(isa) : select<2, 2>(isa);
}

std::int64_t direct_floats(const Problem& problem) { return problem.in.channels * problem.taps() * problem.lanes; }

}  // namespace seq::cpu::winograd
