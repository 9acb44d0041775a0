#include "kernels/cpu/spread/problem.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/ops/conv_transpose.hpp"
#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/packing.hpp"

namespace seq::cpu::spread {
namespace {

/// Lines that are copied are to stay in the first-level cache or near it, in floats.
constexpr std::int64_t copy_cache_floats = 32 * 1024;
/// Below this a task is not worth being handed out.
constexpr double least_task_macs = 400e3;
constexpr std::int64_t tasks_per_thread = 6;

template <int N>
std::optional<Problem> problem_of_rank(const KernelRequest& request) {
    const auto* conv = request.node.op.as<ops::ConvTranspose<N>>();
    if (conv == nullptr || conv->groups != 1) return std::nullopt;
    for (int i = 0; i < N; ++i) {
        const bool side_by_side = conv->kernel_size.at(i) == conv->stride.at(i) && conv->dilation.at(i) == 1;
        if (!side_by_side || conv->padding.at(i) != 0 || conv->output_padding.at(i) != 0) return std::nullopt;
    }
    const auto &in = request.inputs[0].sizes, &out = request.outputs[0].sizes;
    Problem problem;
    problem.batch = in[0];
    problem.in_channels = in[1];
    problem.out_channels = out[1];
    problem.width = in.back();
    problem.window_width = conv->stride.at(N - 1);
    if constexpr (N == 2) {
        problem.height = in[2];
        problem.window_height = conv->stride.at(0);
    }
    return problem;
}

/// As many lines as give each thread some tasks, and fit the cache where they are copied.
void cut_into_tasks(Problem& p, int threads) {
    if (p.macs() == 0) return;
    const auto worth = std::max<std::int64_t>(static_cast<std::int64_t>(p.macs() / least_task_macs), 1);
    const std::int64_t wanted = threads == 1 ? 1 : std::min<std::int64_t>(worth, tasks_per_thread * threads);
    p.block_lines = divide_up(p.batch * p.height, std::max<std::int64_t>(wanted, 1));
    if (p.blocked_in)
        p.block_lines =
            std::min(p.block_lines, copy_cache_floats / std::max<std::int64_t>(p.width * p.copy_stride(), 1));
    p.block_lines = std::clamp<std::int64_t>(p.block_lines, 1, p.height);
}

/// Where the column lies in a dense [out_channels, window...] of one input channel.
std::int64_t weight_at(const Problem& p, std::int64_t window_line, std::int64_t group, std::int64_t column) {
    const std::int64_t channel = group * p.group_channels() + column % p.group_channels();
    return (channel * p.window_height + window_line) * p.window_width + column / p.group_channels();
}

void fill_panels(const Problem& p, const float* weights, float* packed) {
    const std::int64_t per_input = p.out_channels * p.window_height * p.window_width, width = 2 * p.lanes;
    for (std::int64_t line = 0; line < p.window_height; ++line) {
        for (std::int64_t group = 0; group < p.groups(); ++group) {
            for (std::int64_t start = 0; start < p.columns(); start += width) {
                const std::int64_t count = std::min(width, p.columns() - start), padded = round_up(count, p.lanes);
                for (std::int64_t c = 0; c < p.in_channels; ++c, packed += padded) {
                    for (std::int64_t j = 0; j < count; ++j)
                        packed[j] = weights[c * per_input + weight_at(p, line, group, start + j)];
                    std::fill(packed + count, packed + padded, 0.0f);
                }
            }
        }
    }
}

std::string key_of(const Problem& p) {
    return fmt::format("side by side {}x{}, {} of {}", p.window_height, p.window_width, p.group_channels(), p.lanes);
}

}  // namespace

std::int64_t Problem::output_at(std::int64_t picture, std::int64_t group, std::int64_t line) const {
    const std::int64_t lines = height * window_height, pixels = width * window_width;
    return ((picture * groups() + group) * lines + line) * pixels * group_channels();
}

std::optional<Problem> problem_of(const KernelRequest& request) {
    auto problem = problem_of_rank<2>(request);
    if (!problem) problem = problem_of_rank<1>(request);
    if (!problem) return std::nullopt;
    problem->lanes = usable_isa(request.options) == Isa::avx512 ? 16 : 8;
    const Layout blocked = Layout::blocked(problem->lanes);
    problem->blocked_in = request.inputs[0].layout == blocked;
    const Layout& offered = request.outputs[0].layout;
    const bool blocks = offered == blocked || (offered == Layout::plain() && problem->blocked_in);
    problem->blocked_out = blocks && problem->out_channels % problem->lanes == 0;
    cut_into_tasks(*problem, request.options.threads);
    return problem;
}

PackedWeights pack_weights(const Problem& problem, const Node& node, WeightProvider& provider) {
    const Value& weight = *node.parameter("weight");
    if (!provider.available(weight)) return {};
    const auto pack = [&](const TensorView& plain) {
        return keep_floats(problem.weight_floats(),
                           [&](float* packed) { fill_panels(problem, plain.as<float>(), packed); });
    };
    return provider.packed(weight, key_of(problem), pack,
                           static_cast<std::size_t>(problem.weight_floats()) * sizeof(float));
}

PackedWeights pack_bias(const Problem& problem, const Node& node, WeightProvider& provider) {
    const Value* bias = node.parameter("bias");
    const auto keep = [&](const float* values) {
        return keep_floats(problem.bias_floats(), [&](float* packed) {
            for (std::int64_t i = 0; i < problem.bias_floats(); ++i) {
                const std::int64_t group = i / problem.padded_columns(), column = i % problem.padded_columns();
                const std::int64_t channel = group * problem.group_channels() + column % problem.group_channels();
                packed[i] = values == nullptr || column >= problem.columns() ? 0 : values[channel];
            }
        });
    };
    if (bias == nullptr) return keep(nullptr);
    if (!provider.available(*bias)) return {};
    return provider.packed(
        *bias, key_of(problem), [&](const TensorView& plain) { return keep(plain.as<float>()); },
        static_cast<std::size_t>(problem.bias_floats()) * sizeof(float));
}

}  // namespace seq::cpu::spread
