#pragma once

#include "kernels/cpu/squeeze_excitation/sums.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu::squeeze_excitation {
namespace {

using V = Vector;

/// Sums that are made at a time: enough to hide how long an addition takes.
constexpr int sums_at_once = 8;

/// Adds factor · the sums of `count` rows in some vectors of channels, of which the last one is masked.
template <int Vectors>
[[gnu::always_inline]] inline void add_short_sum(const float* row, std::int64_t stride, std::int64_t count,
                                                 V::Float factor, V::Mask last, float* sums) {
    constexpr int together = sums_at_once / Vectors;
    const auto load = [&](const float* from, int j) {
        return j + 1 < Vectors ? V::load(from + j * V::lanes) : V::load(from + j * V::lanes, last);
    };
    V::Float parts[together][Vectors];
    for (auto& part : parts) {
        for (V::Float& sum : part) sum = V::zero();
    }
    std::int64_t r = 0;
    for (; r + together <= count; r += together) {
#pragma GCC unroll 8
        for (int t = 0; t < together; ++t, row += stride) {
            for (int j = 0; j < Vectors; ++j) parts[t][j] = V::add(parts[t][j], load(row, j));
        }
    }
    for (; r < count; ++r, row += stride) {
        for (int j = 0; j < Vectors; ++j) parts[0][j] = V::add(parts[0][j], load(row, j));
    }
    for (int j = 0; j < Vectors; ++j) {
#pragma GCC unroll 8
        for (int t = 1; t < together; ++t) parts[0][j] = V::add(parts[0][j], parts[t][j]);
        const V::Float sum = V::fma(parts[0][j], factor, load(sums, j));
        j + 1 < Vectors ? V::store(sums + j * V::lanes, sum) : V::store(sums + j * V::lanes, sum, last);
    }
}

template <int Vectors>
std::int64_t add_vectors(const Rows& rows, const float* first, std::int64_t count, std::int64_t channel, float* sums) {
    const V::Float factor = V::splat(rows.factor);
    for (; rows.channels - channel > (Vectors - 1) * V::lanes; channel += Vectors * V::lanes) {
        const std::int64_t left = rows.channels - channel - (Vectors - 1) * V::lanes;
        const V::Mask last = V::first(left < V::lanes ? left : V::lanes);
        add_short_sum<Vectors>(first + channel, rows.stride, count, factor, last, sums + channel);
    }
    return channel;
}

inline void sum_rows(const Rows& rows, float* sums) {
    constexpr std::int64_t short_count = 128;
    for (std::int64_t c = 0; c < rows.channels; ++c) sums[c] = 0;
    for (std::int64_t r = 0; r < rows.count; r += short_count) {
        const std::int64_t count = rows.count - r < short_count ? rows.count - r : short_count;
        const float* first = rows.first + r * rows.stride;
        std::int64_t channel = add_vectors<8>(rows, first, count, 0, sums);
        channel = add_vectors<4>(rows, first, count, channel, sums);
        channel = add_vectors<2>(rows, first, count, channel, sums);
        add_vectors<1>(rows, first, count, channel, sums);
    }
}

}  // namespace
}  // namespace seq::cpu::squeeze_excitation
