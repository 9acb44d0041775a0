#include <algorithm>

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/winograd/task.hpp"

namespace seq::cpu::winograd {
namespace {

/// One output channel.
template <int Tile>
void pack_channel(const Problem& p, const float* weights, std::int64_t k, float* packed) {
    constexpr int size = reach(Tile);
    const std::int64_t lanes = p.lanes, channels = p.in_blocks() * lanes;
    const std::int64_t column = k / (2 * lanes);
    const std::int64_t width = column * 2 + 1 < p.out_blocks() ? 2 * lanes : lanes;
    float* target = packed + column * p.positions() * channels * 2 * lanes + k % (2 * lanes);
    for (std::int64_t c = 0; c < p.in_channels; ++c) {
        const float* g = weights + (k * p.in_channels + c) * 9;
        std::array<std::array<double, size>, 3> rows;
        for (std::size_t y = 0; y < 3; ++y) rows[y] = transform_weights<Tile>(g[y * 3], g[y * 3 + 1], g[y * 3 + 2]);
        for (std::size_t j = 0; j < size; ++j) {
            const auto u = transform_weights<Tile>(rows[0][j], rows[1][j], rows[2][j]);
            for (std::size_t i = 0; i < size; ++i) {
                const auto position = static_cast<std::int64_t>(i * size + j);
                target[(position * channels + c) * width] = static_cast<float>(u[i]);
            }
        }
    }
}

}  // namespace

void pack_weights(const Problem& problem, const float* weights, float* packed) {
    std::fill(packed, packed + problem.weight_floats(), 0.0f);
    parallel_for(problem.out_channels, 8, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t k = first; k < last; ++k) {
            problem.tile == 4 ? pack_channel<4>(problem, weights, k, packed)
                              : pack_channel<2>(problem, weights, k, packed);
        }
    });
}

}  // namespace seq::cpu::winograd
