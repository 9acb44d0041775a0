#include "kernels/cpu/pool/pool_plan.hpp"

#include <algorithm>
#include <limits>

#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/pool.hpp"

namespace seq::cpu {
namespace {

enum class Count { within, padded };

PoolAxis window_axis(const ops::Window& window, std::int64_t in, std::int64_t out, Count count) {
    PoolAxis axis{in, out, window.dilation, {}, {}, {}, {}};
    const std::int64_t extent = window.dilation * (window.kernel - 1) + 1;
    for (std::int64_t i = 0; i < out; ++i) {
        const std::int64_t start = i * window.stride - window.pad_before;
        const std::int64_t skipped = start < 0 ? (-start + window.dilation - 1) / window.dilation : 0;
        const std::int64_t first = start + skipped * window.dilation;
        const std::int64_t end = std::min(start + extent, in);
        const std::int64_t within = std::max<std::int64_t>(end - first, 0);
        const std::int64_t padded = std::min(start + window.kernel, in + window.pad_after) - start;
        axis.first.push_back(first);
        axis.end.push_back(end);
        axis.count.push_back(static_cast<float>(within == 0 || count == Count::within ? within : padded));
    }
    return axis;
}

PoolAxis adaptive_axis(std::int64_t in, std::int64_t out) {
    PoolAxis axis{in, out, 1, {}, {}, {}, {}};
    for (std::int64_t i = 0; i < out; ++i) {
        axis.first.push_back(i * in / out);
        axis.end.push_back(((i + 1) * in + out - 1) / out);
        axis.count.push_back(static_cast<float>(axis.end.back() - axis.first.back()));
    }
    return axis;
}

/// Spatial dimension `i` of N among depth, height and width.
template <int N>
constexpr std::size_t axis_of(int i) {
    return static_cast<std::size_t>(3 - N + i);
}

template <int N, class T>
PoolPlan with_windows(const T& op, const KernelRequest& request, PoolMode mode, Count count) {
    PoolPlan plan;
    plan.mode = mode;
    for (int i = 0; i < N; ++i) {
        const auto dim = static_cast<std::size_t>(i + 2);
        plan.axes[axis_of<N>(i)] =
            window_axis(op.window(i), request.inputs[0].sizes[dim], request.outputs[0].sizes[dim], count);
    }
    return plan;
}

template <int N>
PoolPlan adaptive(const KernelRequest& request, PoolMode mode) {
    PoolPlan plan;
    plan.mode = mode;
    for (int i = 0; i < N; ++i) {
        const auto dim = static_cast<std::size_t>(i + 2);
        plan.axes[axis_of<N>(i)] = adaptive_axis(request.inputs[0].sizes[dim], request.outputs[0].sizes[dim]);
    }
    return plan;
}

template <int N>
std::optional<PoolPlan> lp_plan(const ops::LPPool<N>& op, const KernelRequest& request) {
    if (op.norm_type != 1.0 && op.norm_type != 2.0) return std::nullopt;
    PoolPlan plan =
        with_windows<N>(op, request, op.norm_type == 1.0 ? PoolMode::mean : PoolMode::root_of_squares, Count::within);
    for (int i = 0; i < N; ++i) plan.factor *= static_cast<float>(op.window(i).kernel);
    return plan;
}

template <int N>
std::optional<PoolPlan> plan_of(const KernelRequest& request) {
    const Op& op = request.node.op;
    if (const auto* pool = op.as<ops::MaxPool<N>>())
        return with_windows<N>(*pool, request, PoolMode::largest, Count::within);
    if (const auto* pool = op.as<ops::AvgPool<N>>()) {
        const Count count = pool->count_include_pad ? Count::padded : Count::within;
        PoolPlan plan = with_windows<N>(*pool, request, PoolMode::mean, count);
        if (const auto divisor = pool->divisor()) {
            plan.factor = 1.0f / static_cast<float>(*divisor);
            plan.divides = false;
        }
        return plan;
    }
    if (op.is<ops::AdaptiveMaxPool<N>>()) return adaptive<N>(request, PoolMode::largest);
    if (op.is<ops::AdaptiveAvgPool<N>>()) return adaptive<N>(request, PoolMode::mean);
    if (const auto* pool = op.as<ops::LPPool<N>>()) return lp_plan<N>(*pool, request);
    return std::nullopt;
}

}  // namespace

EvenRun even_run_of(const PoolAxis& axis) {
    if (axis.out < 2) return {};
    const std::int64_t middle = (axis.out - 1) / 2;
    const auto begins = [&](std::int64_t i) { return axis.first[static_cast<std::size_t>(i)]; };
    EvenRun run{middle, middle + 1, begins(middle + 1) - begins(middle), axis.taps(static_cast<std::size_t>(middle))};
    const auto like_middle = [&](std::int64_t i) {
        const auto at = static_cast<std::size_t>(i);
        return axis.taps(at) == run.taps && axis.count[at] == axis.count[static_cast<std::size_t>(middle)];
    };
    if (run.stride < 1) return {};
    while (run.first > 0 && like_middle(run.first - 1) && begins(run.first) - begins(run.first - 1) == run.stride)
        --run.first;
    while (run.last < axis.out && like_middle(run.last) && begins(run.last) - begins(run.last - 1) == run.stride)
        ++run.last;
    return run;
}

PoolRange range_of(const PoolAxis& axis, std::int64_t first, std::int64_t last) {
    PoolRange range{axis.in, 0};
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
        if (axis.taps(i) > 0) range = {std::min(range.begin, axis.first[i]), std::max(range.end, axis.end[i])};
    }
    return range.begin < range.end ? range : PoolRange{};
}

std::vector<LinePart> line_parts_of(const PoolAxis& axis) {
    std::vector<LinePart> parts;
    for (std::int64_t x = 0; x < axis.out; ++x) {
        const auto i = static_cast<std::size_t>(x);
        // Of an empty window any columns will do.
        const std::int64_t begin = std::min(axis.first[i], axis.in), end = std::max(axis.end[i], begin);
        const auto joins = [&](const LinePart& part) {
            return !part.wide && std::max(part.end, end) - std::min(part.begin, begin) <= PoolPlan::most_columns;
        };
        if (parts.empty() || !joins(parts.back())) {
            parts.push_back({x, x + 1, begin, end, end - begin > PoolPlan::most_columns});
        } else {
            LinePart& part = parts.back();
            part = {part.first, x + 1, std::min(part.begin, begin), std::max(part.end, end)};
        }
    }
    return parts;
}

std::optional<PoolPlan> pool_plan(const KernelRequest& request) {
    auto plan = plan_of<1>(request);
    if (!plan) plan = plan_of<2>(request);
    if (!plan) plan = plan_of<3>(request);
    if (!plan) return std::nullopt;
    if (plan->mode == PoolMode::largest) plan->start = -std::numeric_limits<float>::infinity();
    plan->axes[2].even = even_run_of(plan->axes[2]);
    plan->parts = line_parts_of(plan->axes[2]);
    return plan;
}

}  // namespace seq::cpu
