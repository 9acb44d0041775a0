#pragma once

#include <array>

#include "kernels/cpu/simd.hpp"

// The transforms of Winograd's minimal filtering F(Tile×Tile, 3×3): Y = A^T [(G g G^T) ⊙ (B^T d B)] A. F(2, 3) as in
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), section 4; F(4, 3) by the construction of
// Toom and Cook that it cites. Each function is the transform of one row or column; a tile takes it along both.
namespace seq::cpu::winograd {

/// The width of what is read for `tile` outputs, and of what is multiplied.
constexpr int reach(int tile) { return tile + 2; }

/// The points at which F(4, 3) interpolates are 0, ±near, ±far and infinity. With 3/4 and 3/2 the error is half of what
/// the usual 1 and 2 give on 512 channels, and every constant is exact in f32.
inline constexpr float near = 0.75f, far = 1.5f;
inline constexpr float near2 = near * near, far2 = far * far;

/// B^T d, in place.
template <int Tile, class V>
SEQ_INLINE void transform_input(V* d) {
    if constexpr (Tile == 4) {
        const V even = d[4] - far2 * d[2], odd = d[3] - far2 * d[1];
        const V other_even = d[4] - near2 * d[2], other_odd = d[3] - near2 * d[1];
        d[0] = near2 * far2 * d[0] + (d[4] - (near2 + far2) * d[2]);
        d[5] = near2 * far2 * d[1] + (d[5] - (near2 + far2) * d[3]);
        d[1] = even + near * odd;
        d[2] = even - near * odd;
        d[3] = other_even + far * other_odd;
        d[4] = other_even - far * other_odd;
    } else {
        const V sum = d[1] + d[2], difference = d[2] - d[1];
        d[0] = d[0] - d[2];
        d[3] = d[1] - d[3];
        d[1] = sum;
        d[2] = difference;
    }
}

/// A^T m: the first Tile numbers of m become the outputs.
template <int Tile, class V>
SEQ_INLINE void transform_output(V* m) {
    const V sum = m[1] + m[2], difference = m[1] - m[2];
    if constexpr (Tile == 4) {
        const V far_sum = m[3] + m[4], far_difference = m[3] - m[4];
        m[0] = m[0] + sum + far_sum;
        m[1] = near * difference + far * far_difference;
        m[2] = near2 * sum + far2 * far_sum;
        m[3] = near * near2 * difference + (far * far2 * far_difference + m[5]);
    } else {
        m[0] = m[0] + sum;
        m[1] = difference - m[3];
    }
}

/// The g of which u is G g.
template <int Tile, class V>
SEQ_INLINE std::array<V, 3> restore_weights(const V* u) {
    if constexpr (Tile == 4) {
        return {near2 * far2 * u[0], near * (near2 - far2) * (u[1] - u[2]), u[5]};
    } else {
        return {u[0], u[1] - u[2], u[3]};
    }
}

}  // namespace seq::cpu::winograd
