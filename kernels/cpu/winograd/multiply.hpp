#pragma once

#include <utility>

#include "kernels/cpu/simd.hpp"
#include "kernels/cpu/winograd/routines.hpp"

// The inner product over an instruction set that is given as a class `Simd`. Included by one source for each; nothing
// in it is shared between them.
namespace seq::cpu::winograd {
namespace {

/// The sums of a group of tiles. Every index is a constant before GCC looks for what may stay in registers: of arrays
/// that loops index it keeps a copy in memory.
template <class Simd, int Columns, std::size_t... Row>
struct Sums {
    using Vector = typename Simd::Vector;
    static constexpr int rows = sizeof...(Row);
    Vector left[rows] = {}, right[rows] = {};

    SEQ_INLINE void add(const float* v, const float* u) {
        const Vector weights = Simd::load(u);
        ((left[Row] = Simd::multiply_add(v[Row * Simd::lanes], weights, left[Row])), ...);
    }
    SEQ_INLINE void add_pair(const float* v, const float* u) {
        const Vector weights = Simd::load(u), more = Simd::load(u + Simd::lanes);
        ((left[Row] = Simd::multiply_add(v[Row * Simd::lanes], weights, left[Row]),
          right[Row] = Simd::multiply_add(v[Row * Simd::lanes], more, right[Row])),
         ...);
    }
    SEQ_INLINE void write(float* products) const {
        (Simd::store(products + Row * 2 * Simd::lanes, left[Row]), ...);
        if constexpr (Columns == 2) (Simd::store(products + (Row * 2 + 1) * Simd::lanes, right[Row]), ...);
    }
};

template <class Simd, int Columns, std::size_t... Row>
SEQ_INLINE Sums<Simd, Columns, Row...> zero_sums(std::index_sequence<Row...>) {
    return {};
}

/// The next panel goes to the first-level cache where it leaves room for all else there, to the second otherwise.
constexpr std::int64_t near_channels = 32;

template <int Hint>
SEQ_INLINE void fetch(Ahead& ahead) {
    for (std::int64_t i = 0; i < ahead.lines; ++i, ahead.from += 16) __builtin_prefetch(ahead.from, 0, Hint);
}

template <class Simd, int Rows, int Columns>
void multiply(const float* v, const Panel* panels, std::int64_t phases, std::int64_t channels, float* products,
              Ahead tiles) {
    auto sums = zero_sums<Simd, Columns>(std::make_index_sequence<Rows>());
    for (const Panel* const last = panels + phases; panels != last; ++panels) {
        const float* u = panels->weights;
        Ahead weights = panels->next;
        for (std::int64_t left = channels; left > 0; left -= Simd::lanes, v += Rows * Simd::lanes) {
            channels <= near_channels ? fetch<3>(weights) : fetch<2>(weights);
            fetch<2>(tiles);
            const float* const end = v + (left < Simd::lanes ? left : Simd::lanes);
            for (const float* lane = v; lane != end; ++lane, u += Columns * Simd::lanes) {
                if constexpr (Columns == 2) {
                    sums.add_pair(lane, u);
                } else {
                    sums.add(lane, u);
                }
            }
        }
    }
    sums.write(products);
}

template <class Simd, std::size_t... Row>
Multiply multiply_by(std::int64_t tiles, int columns, std::index_sequence<Row...>) {
    static constexpr Multiply one[] = {multiply<Simd, Row + 1, 1>...}, two[] = {multiply<Simd, Row + 1, 2>...};
    return (columns == 2 ? two : one)[tiles - 1];
}

}  // namespace
}  // namespace seq::cpu::winograd
