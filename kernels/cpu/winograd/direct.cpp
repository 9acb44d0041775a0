#include "kernels/cpu/winograd/task.hpp"
#include "kernels/cpu/winograd/transform.hpp"

namespace seq::cpu::winograd {
namespace {

using simd::Float;

/// kernel[channel][3][3][lane] of one block of output channels, from its transform.
template <int N, int Tile>
SEQ_INLINE void restore_kernel(const Problem& p, const float* packed, std::int64_t block, float* kernel) {
    constexpr int size = reach(Tile);
    const std::int64_t width = p.column_blocks(block / 2) * N;
    const float* column = packed + block % 2 * N;
    for (std::int64_t c = 0; c < p.in.channels; ++c) {
        std::array<Float<N>, 3> rows[size];
        for (int i = 0; i < size; ++i) {
            Float<N> u[size];
            for (int j = 0; j < size; ++j)
                u[j] = simd::load<N>(column + p.weight_start(block / 2, i * size + j) + c * width);
            rows[i] = restore_weights<Tile>(u);
        }
        for (std::size_t x = 0; x < 3; ++x) {
            Float<N> u[size];
            for (int i = 0; i < size; ++i) u[i] = rows[i][x];
            const auto restored = restore_weights<Tile>(u);
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
            const std::int64_t row = y + i - p.pad_top;
            if (row < 0 || row >= p.in.height) continue;
            for (std::int64_t j = 0; j < 3; ++j) {
                const std::int64_t column = x + j - p.pad_left;
                if (column < 0 || column >= p.in.width) continue;
                sum += channel[row * p.in.row + column * p.in.pixel] * simd::load<N>(kernel + (c * 9 + i * 3 + j) * N);
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
        const Epilogue& epilogue = operands->epilogue;
        const Float<N> bias = epilogue.bias == nullptr ? Float<N>{} : simd::load<N>(epilogue.bias + block * N);
        const int lanes = block + 1 < p.out.blocks ? N : p.out.last_lanes;
        restore_kernel<N, Tile>(p, operands->weights, block, scratch);
        for (std::int64_t y = 0; y < p.out.height; ++y) {
            std::int64_t at = picture * p.out.picture + block * p.out.block + y * p.out.row;
            for (std::int64_t x = 0; x < p.out.width; ++x, at += p.out.pixel) {
                Float<N> sum = sum_at<N>(p, operands->input + picture * p.in.picture, scratch, y, x) + bias;
                if (epilogue.residual != nullptr) sum += simd::load_part<N>(epilogue.residual + at, lanes);
                sum = simd::at_most<N>(simd::at_least<N>(sum, epilogue.low), epilogue.high);
                simd::store_part<N>(operands->output + at, sum, lanes);
            }
        }
    }
};

}  // namespace

DirectTask direct_task(const Problem& problem, Isa isa) {
    if (isa == Isa::scalar) return nullptr;
    if (problem.tile == 4) return simd::select<Direct<4>, const Problem*, const Operands*, std::int64_t, float*>(isa);
    return simd::select<Direct<2>, const Problem*, const Operands*, std::int64_t, float*>(isa);
}

std::int64_t direct_floats(const Problem& problem) { return problem.in.channels * 9 * problem.lanes; }

}  // namespace seq::cpu::winograd
