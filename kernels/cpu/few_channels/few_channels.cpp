#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "graph/ops/convolution.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/few_channels/problem.hpp"
#include "kernels/cpu/few_channels/tile.hpp"
#include "kernels/cpu/fused_head.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu {
namespace {

using few_channels::Problem;

/// More channels than these are convolved faster where they lie innermost.
constexpr std::int64_t most_channels = 8;

template <int N>
std::optional<Problem> problem_of_rank(const KernelRequest& request) {
    const auto* conv = request.node.op.as<ops::Conv<N>>();
    if (conv == nullptr || conv->groups != 1 || conv->padding_mode != "zeros") return std::nullopt;
    const auto &in = request.inputs[0].sizes, &out = request.outputs[0].sizes;
    Problem problem;
    problem.batch = in[0];
    problem.in_channels = in[1];
    problem.out_channels = out[1];
    if constexpr (N == 2) problem.rows = WindowAxis::of(conv->window(0), in[2], out[2]);
    problem.columns = WindowAxis::of(conv->window(N - 1), in.back(), out.back());
    return problem;
}

std::optional<Problem> problem_of(const KernelRequest& request) {
    auto found = problem_of_rank<2>(request);
    if (!found) found = problem_of_rank<1>(request);
    if (!found) return std::nullopt;
    Problem& problem = *found;
    problem.lanes = usable_isa(request.options) == Isa::avx512 ? 16 : 8;
    if (problem.macs() > 0) few_channels::cut_into_tasks(problem, request.options.threads);
    return found;
}

class PreparedFewChannels final : public PreparedKernel {
   public:
    PreparedFewChannels() { ignores_nonfinite = true; }

    void run(const RunContext& context) const override {
        auto* scratch = reinterpret_cast<float*>(context.scratch);
        run_tasks(problem.tasks(), workers, [&](std::int64_t worker, std::int64_t task) {
            run_task(context, task, scratch + worker * problem.copy_floats());
        });
        if (rest) rest->run(context.inputs, static_cast<float*>(context.outputs[0]));
    }

    Problem problem;
    const few_channels::Code* code = nullptr;
    PackedWeights weights, bias;
    std::vector<std::int64_t> taps;
    SumEpilogue epilogue;
    std::int64_t workers = 1;
    std::optional<ElementwiseChain> rest;

   private:
    void run_task(const RunContext& context, std::int64_t task, float* copy) const {
        const Problem& p = problem;
        const few_channels::Part part = p.part(task);
        const auto* input = static_cast<const float*>(context.inputs[0]);
        few_channels::copy_planes(p, input + part.picture * p.in_channels * p.rows.in * p.columns.in, part, copy);
        const std::int64_t line = p.columns.out * p.out_channels;
        float* output = static_cast<float*>(context.outputs[0]) + (part.picture * p.rows.out + part.first_row) * line +
                        part.first_column * p.out_channels;
        for (std::int64_t y = 0; y < part.row_count; ++y)
            run_row(copy + y * p.rows.stride * p.copy_width(), part.column_count, output + y * line);
    }

    void run_row(const float* copy, std::int64_t columns, float* output) const {
        const Problem& p = problem;
        const std::int64_t width = 2 * p.lanes;
        few_channels::Tile tile;
        tile.stride = p.columns.stride;
        tile.taps = taps.data();
        tile.tap_count = p.taps();
        tile.output_stride = p.out_channels;
        tile.epilogue = epilogue;
        const std::int64_t tiles = divide_up(columns, few_channels::tile_windows(p.lanes));
        for (std::int64_t t = 0; t < tiles; ++t) {
            const std::int64_t x = columns * t / tiles, end = columns * (t + 1) / tiles;
            tile.first = copy + x * p.columns.stride;
            for (std::int64_t panel = 0; panel < p.panels(); ++panel) {
                tile.panel = static_cast<const float*>(weights.data) + panel * width * p.taps();
                tile.bias = static_cast<const float*>(bias.data) + panel * width;
                tile.columns = std::min(width, p.out_channels - panel * width);
                tile.output = output + x * p.out_channels + panel * width;
                code->run(tile, end - x);
            }
        }
    }
};

class FewChannels final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.few_channels"; }

    Support supports(const KernelRequest& request) const override {
        const auto problem = problem_of(request);
        if (!problem) return Support::no("takes Conv1d and Conv2d without groups, padded with zeros, alone");
        if (problem->in_channels > most_channels)
            return Support::no(fmt::format("takes at most {} input channels", most_channels));
        return supports_packed_f32(request, problem->macs());
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        const Isa isa = usable_isa(request.options);
        auto kernel = std::make_unique<PreparedFewChannels>();
        const Problem& p = kernel->problem = problem_of(request).value();
        kernel->code = isa == Isa::avx512 ? &few_channels::code_avx512() : &few_channels::code_avx2();
        kernel->taps = p.tap_offsets();
        if (!pack(*kernel, request.node, provider)) {
            refusal = "the weights hold NaN, Inf or numbers near overflow, which padding would spread";
            return nullptr;
        }
        const FusedHead head = fuse_head_without_residual(request, has_row_function);
        kernel->epilogue = sum_epilogue(head, isa);
        if (!place_fused(*kernel, head, kernel->rest, request, provider, Layout::plain(), Layout::channels_last(),
                         refusal))
            return nullptr;
        kernel->workers =
            std::min(std::clamp<std::int64_t>(request.options.threads, 1, TaskRanges::max_workers), p.tasks());
        kernel->scratch_bytes = static_cast<std::size_t>(kernel->workers * p.copy_floats()) * sizeof(float);
        kernel->description = fmt::format("own convolution of planes {}", name_of(isa));
        return kernel;
    }

   private:
    static bool pack(PreparedFewChannels& kernel, const Node& node, WeightProvider& provider) {
        const Problem& p = kernel.problem;
        const Value& weight = *node.parameter("weight");
        kernel.bias = pack_bias(node, provider, round_up(p.out_channels, p.lanes));
        if (!provider.available(weight)) return true;
        const std::int64_t floats = p.taps() * round_up(p.out_channels, p.lanes);
        const auto pack_view = [&](const TensorView& plain) {
            if (p.pads() && has_extreme(plain)) return PackedWeights{};
            return keep_floats(floats, [&](float* packed) { few_channels::pack_panels(p, plain.as<float>(), packed); });
        };
        const std::string key = fmt::format("panels of windows, 2 times {}{}", p.lanes, p.pads() ? ", tame" : "");
        kernel.weights = provider.packed(weight, key, pack_view, static_cast<std::size_t>(floats) * sizeof(float));
        kernel.packed_bytes = kernel.weights.bytes + kernel.bias.bytes;
        return kernel.weights.data != nullptr;
    }
};

}  // namespace

const Kernel& few_channels_kernel() {
    static const FewChannels kernel;
    return kernel;
}

}  // namespace seq::cpu
