#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/kernel.hpp"

namespace seq::cpu {

enum class PoolMode : std::uint8_t { largest, mean, root_of_squares };

/// Outputs [first, last) whose windows have `taps` elements each, count for as much in a mean's divisor, and begin
/// `stride` apart.
struct EvenRun {
    std::int64_t first = 0, last = 0;
    std::int64_t stride = 1, taps = 0;
};

/// The windows over one dimension: output i takes elements first[i], first[i] + step, ... below end[i].
struct PoolAxis {
    std::int64_t in = 1;
    std::int64_t out = 1;
    std::int64_t step = 1;
    std::vector<std::int64_t> first{0};
    std::vector<std::int64_t> end{1};
    /// What the window counts for in a mean's divisor; 0: no element is within.
    std::vector<float> count{1};
    /// Around the middle, where there is one.
    EvenRun even;

    /// How many elements output `i` takes.
    std::int64_t taps(std::size_t i) const { return end[i] > first[i] ? (end[i] - first[i] + step - 1) / step : 0; }
};

struct PoolRange {
    std::int64_t begin = 0, end = 0;
};
/// What holds the windows of outputs [first, last), of which an early one may begin after a later one: where dilation
/// is larger than the stride the first of its elements that are within may lie further on.
PoolRange range_of(const PoolAxis& axis, std::int64_t first, std::int64_t last);

/// Outputs [first, last) of a line, and the columns [begin, end) that hold their windows. A wide part is one output of
/// more columns than that.
struct LinePart {
    std::int64_t first = 0, last = 0;
    std::int64_t begin = 0, end = 0;
    bool wide = false;
};

/// Any pool over depth, height and width. A result is factor · sum / product of the counts, for means and roots.
struct PoolPlan {
    PoolMode mode = PoolMode::largest;
    std::array<PoolAxis, 3> axes;
    /// What a window without elements gives: 0, or -Inf. A number, and not a constant of the mode: GCC 12 takes a
    /// maximum that begins with a constant apart into single lanes.
    float start = 0;
    float factor = 1;
    bool divides = true;
    /// Planes of pixels, and numbers that lie together in a pixel.
    std::int64_t planes = 1;
    std::int64_t width = 1;
    /// All outputs of a line in order, where pixels are one number each.
    std::vector<LinePart> parts;

    /// Of a part that is not wide.
    static constexpr std::int64_t most_columns = 2048;

    /// What the sum of the window at depth `z`, height `y` and width `x` is multiplied by.
    float scale(std::size_t z, std::size_t y, std::size_t x) const {
        if (!divides) return factor;
        const float count = axes[0].count[z] * axes[1].count[y] * axes[2].count[x];
        return count == 0 ? 0 : factor / count;
    }
};

EvenRun even_run_of(const PoolAxis& axis);
std::vector<LinePart> line_parts_of(const PoolAxis& axis);

/// nullopt where the node is no pool, or one over powers other than 1 and 2.
std::optional<PoolPlan> pool_plan(const KernelRequest& request);

}  // namespace seq::cpu
