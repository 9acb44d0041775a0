#pragma once

#include <array>

#include "kernels/cpu/simd.hpp"

// The transforms of Winograd's minimal filtering F(Tile×Tile, 3×3): Y = A^T [(G g G^T) ⊙ (B^T d B)] A. F(2, 3) as in
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), section 4; F(4, 3) by the construction of
// Toom and Cook that it cites. Each function is the transform of one row or column; a tile takes it along both.
//
// With stride 2 the even pixels meet the weights g0 and g2, which is F(Tile, 2), and the odd ones g1 alone, which is
// the same with a second weight of 0: at every point but infinity it has a product too, and there the products of both
// phases are summed before A^T. The factors that depend on the point alone are A's, so that all products of the odd
// phase have the weight g1.
namespace seq::cpu::winograd {

/// Of windows `Stride` apart. A line's transform is `reach` numbers: number k is phase k % Stride of position
/// k / Stride. Its weights are `panels` numbers: that of phase 0 of each position, and with stride 2 that of phase 1.
template <int Tile, int Stride>
struct Filtering;

template <int Tile, int Stride>
struct FilteringSizes {
    static constexpr int tile = Tile, stride = Stride;
    /// The width of what is read for a tile, and of what is multiplied.
    static constexpr int reach = Stride * (Tile - 1) + 3;
    static constexpr int positions = (reach + Stride - 1) / Stride, panels = positions + Stride - 1;
    /// All but the last position have as many as the stride.
    static constexpr int last_phases = reach - (positions - 1) * Stride;
    SEQ_INLINE static constexpr int phases(int position) { return position + 1 < positions ? Stride : last_phases; }
};

/// The points are 0, ±near, ±far and infinity. With 3/4 and 3/2 the error is half of what the usual 1 and 2 give on 512
/// channels, and every constant is exact in f32.
template <>
struct Filtering<4, 1> : FilteringSizes<4, 1> {
    static constexpr float near = 0.75f, far = 1.5f;
    static constexpr float near2 = near * near, far2 = far * far;

    /// B^T d, in place.
    template <class V>
    SEQ_INLINE static void transform_input(V* d) {
        const V even = d[4] - far2 * d[2], odd = d[3] - far2 * d[1];
        const V other_even = d[4] - near2 * d[2], other_odd = d[3] - near2 * d[1];
        d[0] = near2 * far2 * d[0] + (d[4] - (near2 + far2) * d[2]);
        d[5] = near2 * far2 * d[1] + (d[5] - (near2 + far2) * d[3]);
        d[1] = even + near * odd;
        d[2] = even - near * odd;
        d[3] = other_even + far * other_odd;
        d[4] = other_even - far * other_odd;
    }

    /// A^T m: the first `tile` of its `positions` numbers become the outputs.
    template <class V>
    SEQ_INLINE static void transform_output(V* m) {
        const V sum = m[1] + m[2], difference = m[1] - m[2];
        const V far_sum = m[3] + m[4], far_difference = m[3] - m[4];
        m[0] = m[0] + sum + far_sum;
        m[1] = near * difference + far * far_difference;
        m[2] = near2 * sum + far2 * far_sum;
        m[3] = near * near2 * difference + (far * far2 * far_difference + m[5]);
    }

    /// G g, from g in steps of `step` to u.
    template <class V>
    SEQ_INLINE static void transform_weights(const V* g, int step, V* u) {
        constexpr double a = near, b = far, a2 = near2, b2 = far2;
        constexpr double at_zero = 1 / (a2 * b2), at_near = 1 / (2 * a2 * (a2 - b2)), at_far = 1 / (2 * b2 * (b2 - a2));
        const V g0 = g[0], g1 = g[step], g2 = g[2 * step];
        u[0] = g0 * at_zero;
        u[1] = (g0 + a * g1 + a2 * g2) * at_near;
        u[2] = (g0 - a * g1 + a2 * g2) * at_near;
        u[3] = (g0 + b * g1 + b2 * g2) * at_far;
        u[4] = (g0 - b * g1 + b2 * g2) * at_far;
        u[5] = g2;
    }

    /// The g of which u is G g.
    template <class V>
    SEQ_INLINE static std::array<V, 3> restore_weights(const V* u) {
        return {near2 * far2 * u[0], near * (near2 - far2) * (u[1] - u[2]), u[5]};
    }
};

/// The points are 0, ±1 and infinity.
template <>
struct Filtering<2, 1> : FilteringSizes<2, 1> {
    template <class V>
    SEQ_INLINE static void transform_input(V* d) {
        const V sum = d[1] + d[2], difference = d[2] - d[1];
        d[0] = d[0] - d[2];
        d[3] = d[1] - d[3];
        d[1] = sum;
        d[2] = difference;
    }
    template <class V>
    SEQ_INLINE static void transform_output(V* m) {
        const V sum = m[1] + m[2], difference = m[1] - m[2];
        m[0] = m[0] + sum;
        m[1] = difference - m[3];
    }
    template <class V>
    SEQ_INLINE static void transform_weights(const V* g, int step, V* u) {
        const V g0 = g[0], g1 = g[step], g2 = g[2 * step];
        u[0] = g0;
        u[1] = (g0 + g1 + g2) * 0.5;
        u[2] = (g0 - g1 + g2) * 0.5;
        u[3] = g2;
    }
    template <class V>
    SEQ_INLINE static std::array<V, 3> restore_weights(const V* u) {
        return {u[0], u[1] - u[2], u[3]};
    }
};

/// The points are ±near, ±far and infinity. With 1/2 and 5/4 the error is 0.4 of what 0, ±1, 2 and infinity give.
template <>
struct Filtering<4, 2> : FilteringSizes<4, 2> {
    static constexpr float near = 0.5f, far = 1.25f;
    static constexpr float near2 = near * near, far2 = far * far;

    template <class V>
    SEQ_INLINE static void transform_input(V* d) {
        d[8] = near2 * far2 * d[0] + (d[8] - (near2 + far2) * d[4]);
        transform_phase(d);
        transform_phase(d + 1);
    }
    template <class V>
    SEQ_INLINE static void transform_output(V* m) {
        constexpr float a = 1 / (2 * near * (near2 - far2)), b = 1 / (2 * far * (far2 - near2));
        const V sum = m[0] + m[1], difference = m[0] - m[1];
        const V far_sum = m[2] + m[3], far_difference = m[2] - m[3];
        m[0] = a * difference + b * far_difference;
        m[1] = a * near * sum + b * far * far_sum;
        m[2] = a * near2 * difference + b * far2 * far_difference;
        m[3] = a * near * near2 * sum + (b * far * far2 * far_sum + m[4]);
    }
    template <class V>
    SEQ_INLINE static void transform_weights(const V* g, int step, V* u) {
        constexpr double a = near, b = far;
        const V g0 = g[0], g1 = g[step], g2 = g[2 * step];
        u[0] = g0 + a * g2;
        u[1] = g0 - a * g2;
        u[2] = g0 + b * g2;
        u[3] = g0 - b * g2;
        u[4] = g2;
        u[5] = g1;
    }
    template <class V>
    SEQ_INLINE static std::array<V, 3> restore_weights(const V* u) {
        return {0.5f * (u[0] + u[1]), u[5], u[4]};
    }

   private:
    /// Every other number, at the points that are not infinity.
    template <class V>
    SEQ_INLINE static void transform_phase(V* d) {
        const V even = d[4] - far2 * d[0], odd = d[6] - far2 * d[2];
        const V other_even = d[4] - near2 * d[0], other_odd = d[6] - near2 * d[2];
        d[0] = odd + near * even;
        d[2] = odd - near * even;
        d[4] = other_odd + far * other_even;
        d[6] = other_odd - far * other_even;
    }
};

/// The points are ±1 and infinity.
template <>
struct Filtering<2, 2> : FilteringSizes<2, 2> {
    template <class V>
    SEQ_INLINE static void transform_input(V* d) {
        d[4] = d[4] - d[0];
        for (int phase = 0; phase < 2; ++phase) {
            const V first = d[phase];
            d[phase] = d[phase + 2] + first;
            d[phase + 2] = d[phase + 2] - first;
        }
    }
    template <class V>
    SEQ_INLINE static void transform_output(V* m) {
        const V sum = m[0] + m[1], difference = m[0] - m[1];
        m[0] = 0.5f * difference;
        m[1] = 0.5f * sum + m[2];
    }
    template <class V>
    SEQ_INLINE static void transform_weights(const V* g, int step, V* u) {
        const V g0 = g[0], g1 = g[step], g2 = g[2 * step];
        u[0] = g0 + g2;
        u[1] = g0 - g2;
        u[2] = g2;
        u[3] = g1;
    }
    template <class V>
    SEQ_INLINE static std::array<V, 3> restore_weights(const V* u) {
        return {0.5f * (u[0] + u[1]), u[3], u[2]};
    }
};

}  // namespace seq::cpu::winograd
