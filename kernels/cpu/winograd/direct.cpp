#include "kernels/cpu/winograd/task.hpp"

namespace seq::cpu::winograd {
namespace {

/// kernel[channel][3][3][lane] of one block of output channels, from its transform.
template <int N, int Tile>
SEQ_INLINE void restore_kernel(const Problem& p, const float* packed, std::int64_t block, float* kernel) {
    constexpr int size = reach(Tile);
    const std::int64_t channels = p.in_blocks() * N;
    const std::int64_t width = block / 2 * 2 + 1 < p.out_blocks() ? 2 * N : N;
    const float* pair = packed + block / 2 * p.positions() * channels * 2 * N + block % 2 * N;
    for (std::int64_t c = 0; c < channels; ++c) {
        std::array<Float<N>, 3> rows[size];
        for (int i = 0; i < size; ++i) {
            Float<N> u[size];
            for (int j = 0; j < size; ++j) u[j] = simd::load<N>(pair + ((i * size + j) * channels + c) * width);
            rows[i] = restore_weights<Tile>(u);
        }
        for (std::size_t x = 0; x < 3; ++x) {
            Float<N> u[size];
            for (int i = 0; i < size; ++i) u[i] = rows[i][x];
            const auto column = restore_weights<Tile>(u);
            for (std::size_t y = 0; y < 3; ++y)
                simd::store<N>(kernel + (static_cast<std::size_t>(c) * 9 + y * 3 + x) * N, column[y]);
        }
    }
}

template <int N>
SEQ_INLINE Float<N> sum_at(const Problem& p, const float* picture, const float* kernel, std::int64_t y,
                           std::int64_t x) {
    Float<N> sum{};
    const std::int64_t plane = p.in_height * p.in_width * N;
    for (std::int64_t c = 0; c < p.in_channels; ++c) {
        const float* channel = picture + c / N * plane + c % N;
        for (std::int64_t i = 0; i < 3; ++i) {
            const std::int64_t row = y + i - p.pad_top;
            if (row < 0 || row >= p.in_height) continue;
            for (std::int64_t j = 0; j < 3; ++j) {
                const std::int64_t column = x + j - p.pad_left;
                if (column < 0 || column >= p.in_width) continue;
                sum += channel[(row * p.in_width + column) * N] * simd::load<N>(kernel + (c * 9 + i * 3 + j) * N);
            }
        }
    }
    return sum;
}

template <int Tile>
struct Direct {
    template <int N>
    SEQ_INLINE static void run(const Problem* problem, const Operands* operands, std::int64_t index, float* scratch) {
        const Problem& p = *problem;
        const std::int64_t picture = index % p.batch, block = index / p.batch;
        restore_kernel<N, Tile>(p, operands->weights, block, scratch);
        const float* input = operands->input + picture * p.in_blocks() * p.in_height * p.in_width * N;
        const Epilogue& epilogue = operands->epilogue;
        const Float<N> bias = epilogue.bias == nullptr ? Float<N>{} : simd::load<N>(epilogue.bias + block * N);
        std::int64_t at = (picture * p.out_blocks() + block) * p.out_height * p.out_width * N;
        for (std::int64_t y = 0; y < p.out_height; ++y) {
            for (std::int64_t x = 0; x < p.out_width; ++x, at += N) {
                const Float<N> sum = sum_at<N>(p, input, scratch, y, x);
                simd::store<N>(operands->output + at, finish<N>(sum, epilogue, bias, at));
            }
        }
    }
};

}  // namespace

TaskFunction direct_task(const Problem& problem, Isa isa) {
    if (isa == Isa::scalar) return nullptr;
    if (problem.tile == 4) return simd::select<Direct<4>, const Problem*, const Operands*, std::int64_t, float*>(isa);
    return simd::select<Direct<2>, const Problem*, const Operands*, std::int64_t, float*>(isa);
}

std::int64_t direct_floats(const Problem& problem) { return problem.in_blocks() * problem.lanes * 9 * problem.lanes; }

}  // namespace seq::cpu::winograd
