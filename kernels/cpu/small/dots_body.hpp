#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/cpu/small/routines.hpp"

// Products of few outputs, where vectors run along the taps, over a V as routines_body.hpp has it, with load_first
// (so many numbers, then zeros) and sums (of the numbers of each of some vectors).
namespace seq::cpu::small {
namespace {

/// So many partial sums that each multiply-add waits for few before it.
constexpr int dot_splits(int dots) { return dots >= 8 ? 1 : 8 / dots < 4 ? 8 / dots : 4; }

template <class V, int Positions, int Outputs>
[[gnu::always_inline]] inline void dot_vector(const typename V::Vec (&x)[Positions], const float* weights,
                                              std::int64_t row, typename V::Vec (&dots)[Positions * Outputs]) {
#pragma GCC unroll 16
    for (int o = 0; o < Outputs; ++o) {
        const auto w = V::load(weights + o * row);
#pragma GCC unroll 16
        for (int p = 0; p < Positions; ++p) dots[p * Outputs + o] = V::fma(x[p], w, dots[p * Outputs + o]);
    }
}

/// `weights`: of the first output.
template <class V, int Positions, int Outputs>
[[gnu::always_inline]] inline void dot_tile(const DotProduct& d, const float* input, const float* weights,
                                            float* output) {
    constexpr int count = Positions * Outputs, splits = dot_splits(count);
    typename V::Vec dots[splits][count], x[Positions];
    const std::int64_t row = d.row;
    for (int i = 0; i < count; ++i) {
        dots[0][i] = V::load(weights + i % Outputs * row);
        for (int s = 1; s < splits; ++s) dots[s][i] = V::zero();
    }
    weights += V::lanes;
    const std::int64_t whole = d.taps / V::lanes * V::lanes;
    std::int64_t tap = 0;
    for (; tap + splits * V::lanes <= whole; tap += splits * V::lanes) {
#pragma GCC unroll 4
        for (int s = 0; s < splits; ++s) {
            const std::int64_t at = tap + s * V::lanes;
            for (int p = 0; p < Positions; ++p) x[p] = V::load(input + p * d.position_stride + at);
            dot_vector<V, Positions, Outputs>(x, weights + at, row, dots[s]);
        }
    }
    for (; tap < whole; tap += V::lanes) {
        for (int p = 0; p < Positions; ++p) x[p] = V::load(input + p * d.position_stride + tap);
        dot_vector<V, Positions, Outputs>(x, weights + tap, row, dots[0]);
    }
    if (tap < d.taps) {
        for (int p = 0; p < Positions; ++p)
            x[p] = V::load_first(input + p * d.position_stride + tap, static_cast<int>(d.taps - tap));
        dot_vector<V, Positions, Outputs>(x, weights + tap, row, dots[splits - 1]);
    }
    for (int s = 1; s < splits; ++s) {
        for (int i = 0; i < count; ++i) dots[0][i] = V::add(dots[0][i], dots[s][i]);
    }
    alignas(64) float sums[V::lanes];
    const auto low = V::splat(&d.low), high = V::splat(&d.high);
    V::store(sums, V::min(high, V::max(low, V::template sums<count>(dots[0]))));
    for (int p = 0; p < Positions; ++p)
        std::memcpy(output + p * d.out_position_stride, sums + p * Outputs, Outputs * sizeof(float));
}

/// `Outputs` of all positions, from output `first` on.
template <class V, int Outputs>
void dot_columns(const DotProduct& d, std::int64_t first) {
    constexpr int tile = V::lanes / Outputs;
    const float* const weights = d.weights + first * d.row;
    const float* input = d.input;
    float* output = d.output + first;
    std::int64_t left = d.positions;
    for (; left >= tile; left -= tile) {
        dot_tile<V, tile, Outputs>(d, input, weights, output);
        input += tile * d.position_stride;
        output += tile * d.out_position_stride;
    }
    if constexpr (tile > 1) {
        for (; left > 0; --left) {
            dot_tile<V, 1, Outputs>(d, input, weights, output);
            input += d.position_stride;
            output += d.out_position_stride;
        }
    }
}

template <class V>
void dot(const DotProduct& d) {
    std::int64_t first = d.first;
    while (first < d.last) {
        const std::int64_t left = d.last - first;
        if (left >= 16 && V::lanes >= 16) {
            dot_columns<V, V::lanes>(d, first);
            first += V::lanes;
        } else if (left >= 8 && V::lanes >= 8) {
            dot_columns < V, V::lanes<8 ? V::lanes : 8>(d, first);
            first += 8;
        } else if (left >= 4) {
            dot_columns<V, 4>(d, first);
            first += 4;
        } else if (left >= 2) {
            dot_columns<V, 2>(d, first);
            first += 2;
        } else {
            dot_columns<V, 1>(d, first);
            first += 1;
        }
    }
}

}  // namespace
}  // namespace seq::cpu::small
