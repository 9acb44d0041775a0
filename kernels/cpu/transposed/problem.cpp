#include "kernels/cpu/transposed/problem.hpp"

#include <algorithm>
#include <numeric>

#include "graph/ops/conv_transpose.hpp"
#include "graph/ops/convolution.hpp"
#include "kernels/cpu/depthwise/problem.hpp"
#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/pointwise/tile.hpp"

namespace seq::cpu::transposed {
namespace {

/// Of a copy that stays in the second-level cache beside the weights.
constexpr std::int64_t block_cache_floats = 80 * 1024;
/// Below this a task is not worth being handed out: sums of depthwise ones take longer each.
constexpr double least_task_macs = 400e3, least_depthwise_macs = 60e3;
/// Channels that a task of a depthwise one takes at least, so that it reads whole stretches of memory.
constexpr std::int64_t least_task_channels = 64;
constexpr std::int64_t tasks_per_thread = 6;
/// Blocks of scattered ones compute again what lies between them.
constexpr std::int64_t scattered_tasks_per_thread = 2;

std::int64_t divide_down(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -divide_up(-a, b); }

/// `axis_of(i)`: spatial dimension i, but for its sizes.
template <int N, class AxisOf>
Problem sized(const KernelRequest& request, const AxisOf& axis_of) {
    const auto &in = request.inputs[0].sizes, &out = request.outputs[0].sizes;
    const auto axis = [&](int i) {
        Axis axis = axis_of(i);
        axis.in = in[static_cast<std::size_t>(i) + 2];
        axis.out = out[static_cast<std::size_t>(i) + 2];
        return axis;
    };
    Problem problem;
    problem.batch = in[0];
    problem.in_channels = in[1];
    problem.out_channels = out[1];
    problem.columns = axis(N - 1);
    if constexpr (N == 2) problem.lines = axis(0);
    return problem;
}

template <int N>
std::optional<Problem> problem_of_rank(const KernelRequest& request) {
    const auto* conv = request.node.op.as<ops::ConvTranspose<N>>();
    if (conv == nullptr || conv->padding_mode != "zeros") return std::nullopt;
    Problem problem = sized<N>(request, [&](int i) {
        return Axis{1, 1, conv->kernel_size.at(i), conv->stride.at(i), conv->dilation.at(i), conv->padding.at(i)};
    });
    problem.groups = conv->groups;
    return problem;
}

template <int N>
std::optional<Problem> problem_of_convolution_of_rank(const KernelRequest& request) {
    const auto* conv = request.node.op.as<ops::Conv<N>>();
    if (conv == nullptr || conv->groups != 1 || conv->padding_mode != "zeros") return std::nullopt;
    Problem problem = sized<N>(request, [&](int i) {
        const ops::Window window = conv->window(i);
        Axis reversed{1, 1, window.kernel, window.stride, window.dilation, 0};
        reversed.pad = reversed.reach() - window.pad_before;
        return reversed;
    });
    problem.reversed = true;
    if (problem.lines.stride != 1 || problem.columns.stride != 1) return std::nullopt;
    return problem;
}

/// Outputs of a dimension in about so many blocks, in which each phase has as many.
std::int64_t block_of(std::int64_t outputs, std::int64_t blocks, std::int64_t stride) {
    return std::min(round_up(divide_up(outputs, std::max<std::int64_t>(blocks, 1)), stride), outputs);
}

}  // namespace

Range Axis::inputs_of(const Range& outputs) const {
    const std::int64_t first = -divide_down(reach() - pad - outputs.first, stride);
    return {first, std::max(divide_down(outputs.end - 1 + pad, stride) + 1, first)};
}

std::int64_t Axis::most_taps() const { return divide_up(kernel, stride / std::gcd(stride, dilation)); }

bool Axis::side_by_side() const { return most_taps() == 1 || dilation == std::gcd(stride, dilation); }

Range Phase::taps_inside(std::int64_t step, std::int64_t in) const {
    const auto first = std::lower_bound(inputs.begin(), inputs.end(), -step);
    const auto end = std::lower_bound(first, inputs.end(), in - step);
    return {first - inputs.begin(), end - inputs.begin()};
}

std::vector<Phase> phases_of(const Axis& axis) {
    std::vector<Phase> phases;
    std::int64_t first_tap = 0;
    for (std::int64_t position = 0; position < std::min(axis.stride, axis.out); ++position) {
        Phase phase{position, first_tap, {}, {}};
        for (std::int64_t tap = axis.kernel - 1; tap >= 0; --tap) {
            const std::int64_t reach = position + axis.pad - tap * axis.dilation;
            if (reach % axis.stride != 0) continue;
            phase.taps.push_back(tap);
            phase.inputs.push_back(reach / axis.stride);
        }
        first_tap += phase.tap_count();
        phases.push_back(std::move(phase));
    }
    return phases;
}

double Problem::macs() const {
    return static_cast<double>(batch * lines.in * columns.in) * static_cast<double>(in_channels * taps()) *
           static_cast<double>(group_out());
}

bool Problem::depthwise() const {
    return groups > 1 && groups == in_channels && groups == out_channels && columns.side_by_side() &&
           lines.most_taps() <= depthwise::max_kernel_height;
}

bool Problem::scattered() const {
    constexpr std::int64_t least_channels = 4;
    return groups == 1 && in_channels >= least_channels && columns.dilation == 1 &&
           lines.kernel <= most_scattered_lines &&
           2 * round_up(taps() * out_channels, lanes) <= taps() * round_up(out_channels, lanes);
}

bool Problem::pads() const {
    if (scattered()) return false;
    const Range read = columns.inputs_of({0, columns.out});
    return read.first < 0 || read.end > columns.in;
}

std::optional<Problem> problem_of(const KernelRequest& request) {
    auto problem = problem_of_rank<2>(request);
    if (!problem) problem = problem_of_rank<1>(request);
    if (!problem) return std::nullopt;
    // Groups that do not fill the longer vectors go through the shorter ones as fast.
    const bool narrow = problem->groups > 1 && problem->group_out() <= 8 && !problem->depthwise();
    problem->lanes = usable_isa(request.options) == Isa::avx512 && !narrow ? 16 : 8;
    if (problem->near() && problem->macs() > 0) cut_into_tasks(*problem, request.options.threads);
    return problem;
}

std::optional<Problem> problem_of_convolution(const KernelRequest& request) {
    auto problem = problem_of_convolution_of_rank<2>(request);
    if (!problem) problem = problem_of_convolution_of_rank<1>(request);
    if (!problem) return std::nullopt;
    problem->lanes = usable_isa(request.options) == Isa::avx512 ? 16 : 8;
    if (problem->near() && problem->macs() > 0) cut_into_tasks(*problem, request.options.threads);
    return problem;
}

void cut_into_tasks(Problem& p, int threads) {
    const bool depthwise = p.depthwise();
    const auto worth = static_cast<std::int64_t>(p.macs() / (depthwise ? least_depthwise_macs : least_task_macs));
    const std::int64_t most = (p.scattered() ? scattered_tasks_per_thread : tasks_per_thread) * threads;
    const std::int64_t wanted = threads == 1 ? 1 : std::clamp<std::int64_t>(worth, 1, most);
    const bool by_panels = !depthwise && p.out_channels >= p.pixels() && p.panels() >= threads;
    const std::int64_t blocks = by_panels ? 1 : divide_up(wanted, p.batch);
    // A phase has a tile of rows in each block at least, where there are so many.
    const std::int64_t least = p.columns.stride * pointwise::tile_rows(p.lanes, p.group_out());
    p.block_lines = block_of(p.lines.out, blocks, p.lines.stride);
    p.block_columns = block_of(p.columns.out, blocks / p.line_blocks(), least);
    while (p.block_lines > p.lines.stride && p.copy_floats() > block_cache_floats)
        p.block_lines -= std::min(round_up(divide_up(p.block_lines, 8), p.lines.stride), p.block_lines - 1);
    while (p.block_columns > least && p.copy_floats() > block_cache_floats)
        p.block_columns -= std::min(round_up(divide_up(p.block_columns, 8), least), p.block_columns - 1);
    p.block_lines = block_of(p.lines.out, p.line_blocks(), p.lines.stride);
    p.block_columns = block_of(p.columns.out, p.column_blocks(), p.columns.stride);
    const std::int64_t all_blocks = p.batch * p.line_blocks() * p.column_blocks();
    std::int64_t parts = (by_panels ? wanted : std::min<std::int64_t>(wanted, threads)) / all_blocks;
    if (depthwise) parts = std::min(parts, p.out_channels / least_task_channels);
    p.task_panels = divide_up(p.panels(), std::clamp<std::int64_t>(parts, 1, p.panels()));
}

}  // namespace seq::cpu::transposed
