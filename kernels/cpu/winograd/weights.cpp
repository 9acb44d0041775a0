#include <algorithm>
#include <array>

#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/winograd/task.hpp"
#include "kernels/cpu/winograd/transform.hpp"

namespace seq::cpu::winograd {
namespace {

/// Half as many lanes as there are floats in a vector.
template <int N>
struct Halves {
    typedef float Floats __attribute__((vector_size(N * 2)));
    typedef double Doubles __attribute__((vector_size(N * 4)));
};

/// The channels of a column side by side: of `taps` numbers each, `width` channels of which `count` are there.
void gather(const float* rows, std::int64_t length, std::int64_t count, std::int64_t taps, std::int64_t width,
            float* gathered) {
    for (std::int64_t k = 0; k < count; ++k) {
        for (std::int64_t t = 0; t < taps; ++t) gathered[t * width + k] = rows[k * length + t];
    }
    if (count == width) return;
    for (std::int64_t t = 0; t < taps; ++t) std::fill(gathered + t * width + count, gathered + (t + 1) * width, 0.0f);
}

constexpr std::int64_t most_width = 32;
/// Of input channels, gathered at a time.
constexpr std::int64_t block = 16;

/// In double, since it is done once.
template <class Form, bool Lines>
struct PackColumn {
    static constexpr int size = Form::panels, taps = Lines ? 3 : 9, panels = Lines ? size : size * size;

    template <class Doubles>
    SEQ_INLINE static void transform(const Doubles* g, Doubles* u) {
        if constexpr (Lines) return Form::transform_weights(g, 1, u);
        Doubles rows[3 * size];
        for (int y = 0; y < 3; ++y) Form::transform_weights(g + 3 * y, 1, rows + y * size);
        for (int x = 0; x < size; ++x) {
            Doubles column[size];
            Form::transform_weights(rows + x, size, column);
            for (int y = 0; y < size; ++y) u[y * size + x] = column[y];
        }
    }

    template <int N>
    SEQ_INLINE static void run(const Problem* problem, const float* rows, std::int64_t column, float* packed) {
        using Floats = typename Halves<N>::Floats;
        using Doubles = typename Halves<N>::Doubles;
        const Problem& p = *problem;
        const std::int64_t width = p.column_blocks(column) * p.lanes, channels = p.in.channels;
        const std::int64_t count = std::min(width, p.out.channels - column * 2 * p.lanes);
        float* const start = packed + p.weight_start(column, 0);
        const std::int64_t panel_step = channels * width;
        alignas(64) float gathered[most_width * block * taps];
        for (std::int64_t first = 0; first < channels; first += block) {
            const std::int64_t some = std::min(block, channels - first);
            gather(rows + first * taps, channels * taps, count, some * taps, width, gathered);
            for (std::int64_t c = 0; c < some; ++c) {
                for (std::int64_t lane = 0; lane < width; lane += N / 2) {
                    Doubles g[taps], u[panels];
                    for (int t = 0; t < taps; ++t) {
                        Floats floats;
                        __builtin_memcpy(&floats, gathered + (c * taps + t) * width + lane, sizeof floats);
                        g[t] = __builtin_convertvector(floats, Doubles);
                    }
                    transform(g, u);
                    for (int i = 0; i < panels; ++i) {
                        const Floats floats = __builtin_convertvector(u[i], Floats);
                        __builtin_memcpy(start + i * panel_step + (first + c) * width + lane, &floats, sizeof floats);
                    }
                }
            }
        }
    }
};

using Pack = void (*)(const Problem*, const float*, std::int64_t, float*);

template <int Tile, int Stride, bool Lines>
Pack pack_for() {
    static const Pack pack =
        simd::select<PackColumn<Filtering<Tile, Stride>, Lines>, const Problem*, const float*, std::int64_t, float*>(
            machine_isa());
    return pack;
}

template <int Tile>
Pack pack_for(const Problem& problem) {
    if (problem.lines) return pack_for<Tile, 1, true>();
    return problem.stride == 1 ? pack_for<Tile, 1, false>() : pack_for<Tile, 2, false>();
}

}  // namespace

void pack_column(const Problem& problem, const float* rows, std::int64_t column, float* packed) {
    const Pack pack = problem.tile == 4 ? pack_for<4>(problem) : pack_for<2>(problem);
    pack(&problem, rows, column, packed);
}

void pack_weights(const Problem& problem, const float* weights, float* packed) {
    const std::int64_t width = 2 * problem.lanes, row = problem.in.channels * problem.taps();
    parallel_for(divide_up(problem.out.channels, width), 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t column = first; column < last; ++column)
            pack_column(problem, weights + column * width * row, column, packed);
    });
}

}  // namespace seq::cpu::winograd
