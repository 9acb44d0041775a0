#include <algorithm>

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/winograd/task.hpp"
#include "kernels/cpu/winograd/transform.hpp"

namespace seq::cpu::winograd {
namespace {

/// G g. In double, since it is done once.
template <int Tile>
std::array<double, reach(Tile)> transform_weights(double g0, double g1, double g2) {
    if constexpr (Tile == 4) {
        constexpr double a = near, b = far, a2 = near2, b2 = far2;
        constexpr double at_near = 2 * a2 * (a2 - b2), at_far = 2 * b2 * (b2 - a2);
        return {g0 / (a2 * b2),
                (g0 + a * g1 + a2 * g2) / at_near,
                (g0 - a * g1 + a2 * g2) / at_near,
                (g0 + b * g1 + b2 * g2) / at_far,
                (g0 - b * g1 + b2 * g2) / at_far,
                g2};
    } else {
        return {g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2};
    }
}

/// One output channel.
template <int Tile>
void pack_channel(const Problem& p, const float* weights, std::int64_t k, float* packed) {
    constexpr int size = reach(Tile);
    const std::int64_t column = k / (2 * p.lanes), within = k % (2 * p.lanes);
    const std::int64_t width = p.column_blocks(column) * p.lanes;
    for (std::int64_t c = 0; c < p.in.channels; ++c) {
        const float* g = weights + (k * p.in.channels + c) * 9;
        std::array<std::array<double, size>, 3> rows;
        for (std::size_t y = 0; y < 3; ++y) rows[y] = transform_weights<Tile>(g[y * 3], g[y * 3 + 1], g[y * 3 + 2]);
        for (std::size_t j = 0; j < size; ++j) {
            const auto u = transform_weights<Tile>(rows[0][j], rows[1][j], rows[2][j]);
            for (std::size_t i = 0; i < size; ++i) {
                const auto position = static_cast<std::int64_t>(i * size + j);
                packed[p.weight_start(column, position) + c * width + within] = static_cast<float>(u[i]);
            }
        }
    }
}

/// One output channel of a convolution along lines.
template <int Tile>
void pack_line_channel(const Problem& p, const float* weights, std::int64_t k, float* packed) {
    const std::int64_t column = k / (2 * p.lanes), within = k % (2 * p.lanes);
    const std::int64_t width = p.column_blocks(column) * p.lanes;
    for (std::int64_t c = 0; c < p.in.channels; ++c) {
        const float* g = weights + (k * p.in.channels + c) * 3;
        const auto u = transform_weights<Tile>(g[0], g[1], g[2]);
        for (std::size_t i = 0; i < reach(Tile); ++i) {
            const std::int64_t start = p.weight_start(column, static_cast<std::int64_t>(i));
            packed[start + c * width + within] = static_cast<float>(u[i]);
        }
    }
}

}  // namespace

void pack_weights(const Problem& problem, const float* weights, float* packed) {
    std::fill(packed, packed + problem.weight_floats(), 0.0f);
    const auto pack = problem.lines       ? problem.tile == 4 ? pack_line_channel<4> : pack_line_channel<2>
                            : problem.tile == 4 ? pack_channel<4>
                                          : pack_channel<2>;
    parallel_for(problem.out.channels, 8, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t k = first; k < last; ++k) pack(problem, weights, k, packed);
    });
}

}  // namespace seq::cpu::winograd
