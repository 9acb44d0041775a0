#pragma once

#include "kernels/cpu/pool/pool_plan.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu {
namespace {

using V = Vector;

template <PoolMode M>
[[gnu::always_inline]] inline V::Float merge(V::Float a, V::Float b) {
    if constexpr (M == PoolMode::largest) return V::max_or_nan(a, b);
    return V::add(a, b);
}

/// What a window merges of a number.
template <PoolMode M>
[[gnu::always_inline]] inline V::Float term(V::Float x) {
    if constexpr (M == PoolMode::root_of_squares) return V::mul(x, x);
    return x;
}

/// `scale`: PoolPlan::scale of the window.
template <PoolMode M>
[[gnu::always_inline]] inline V::Float finish(V::Float merged, float scale) {
    if constexpr (M == PoolMode::largest) return merged;
    const V::Float scaled = V::mul(merged, V::splat(scale));
    return M == PoolMode::mean ? scaled : V::sqrt(scaled);
}

/// Where the lines of the windows of a row of outputs lie in their plane.
template <class In>
struct WindowLines {
    const In* first = nullptr;
    std::int64_t depth = 0, height = 0;            ///< how many
    std::int64_t depth_step = 0, height_step = 0;  ///< in numbers
    std::size_t z = 0, y = 0;                      ///< of the outputs

    /// Of row `row` of all planes.
    WindowLines(const PoolPlan& plan, const void* from, std::int64_t row) {
        const auto& [deep, high, wide] = plan.axes;
        z = static_cast<std::size_t>(row / high.out % deep.out);
        y = static_cast<std::size_t>(row % high.out);
        const std::int64_t line = wide.in * plan.width, plane = high.in * line;
        first = static_cast<const In*>(from) + row / (deep.out * high.out) * deep.in * plane + deep.first[z] * plane +
                high.first[y] * line;
        depth = deep.taps(z);
        height = high.taps(y);
        depth_step = deep.step * plane;
        height_step = high.step * line;
    }
    /// What the sum of window `x` is multiplied by.
    float scale(const PoolPlan& plan, std::int64_t x) const { return plan.scale(z, y, static_cast<std::size_t>(x)); }
};

}  // namespace
}  // namespace seq::cpu
