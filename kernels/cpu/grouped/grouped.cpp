#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "graph/ops/convolution.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/fused_head.hpp"
#include "kernels/cpu/grouped/problem.hpp"
#include "kernels/cpu/grouped/tile.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu {
namespace {

using grouped::Problem;

template <int N>
std::optional<Problem> problem_of_rank(const KernelRequest& request) {
    const auto* conv = request.node.op.as<ops::Conv<N>>();
    if (conv == nullptr || conv->groups == 1 || conv->padding_mode != "zeros") return std::nullopt;
    const auto &in = request.inputs[0].sizes, &out = request.outputs[0].sizes;
    Problem problem;
    problem.batch = in[0];
    problem.groups = conv->groups;
    problem.group_in = in[1] / conv->groups;
    problem.group_out = out[1] / conv->groups;
    if constexpr (N == 2) problem.lines = WindowAxis::of(conv->window(0), in[2], out[2]);
    problem.columns = WindowAxis::of(conv->window(N - 1), in.back(), out.back());
    return problem;
}

/// The longest vectors that groups fill, or groups side by side.
void choose_vectors(Problem& p, Isa isa) {
    const auto fits = [&](int lanes) { return p.group_in == 4 && p.group_out == 4 && p.groups % (lanes / 4) == 0; };
    const int longest = isa == Isa::avx512 ? 16 : 8;
    p.side_by_side = fits(longest) || fits(8);
    p.lanes = fits(longest) || p.group_out > 8 ? longest : 8;
}

/// nullopt where the node is no convolution in groups.
std::optional<Problem> problem_of(const KernelRequest& request) {
    auto problem = problem_of_rank<2>(request);
    if (!problem) problem = problem_of_rank<1>(request);
    if (!problem) return std::nullopt;
    choose_vectors(*problem, usable_isa(request.options));
    if (problem->macs() > 0) grouped::cut_into_tasks(*problem, request.options.threads);
    return problem;
}

class PreparedGrouped final : public PreparedKernel {
   public:
    PreparedGrouped() { ignores_nonfinite = true; }

    void run(const RunContext& context) const override {
        auto* scratch = reinterpret_cast<float*>(context.scratch);
        run_tasks(problem.tasks(), workers, [&](std::int64_t worker, std::int64_t task) {
            run_task(context, problem.part(task), scratch + worker * problem.copy_floats());
        });
        if (rest) rest->run(context.inputs, static_cast<float*>(context.outputs[0]));
    }

    Problem problem;
    const grouped::Code* code = nullptr;
    PackedWeights weights, bias;
    std::vector<std::int64_t> line_offsets;
    FusedHead head;
    SumEpilogue epilogue;
    std::int64_t workers = 1;
    std::optional<ElementwiseChain> rest;

   private:
    void run_task(const RunContext& context, const grouped::Part& part, float* copy) const {
        const Problem& p = problem;
        grouped::copy_pixels(p, static_cast<const float*>(context.inputs[0]), part, copy);
        grouped::Tile tile;
        tile.pixel_stride = p.copy_pixel();
        tile.line_offsets = line_offsets.data();
        tile.lines = p.lines.kernel;
        tile.channels = p.group_in;
        tile.output_stride = p.output_stride();
        tile.epilogue = epilogue;
        for (std::int64_t unit = 0; unit < part.units; ++unit) {
            for (std::int64_t panel = 0; panel < p.panels(); ++panel) {
                const std::int64_t index = (part.first_unit + unit) * p.panels() + panel;
                const std::int64_t channel = (part.first_unit + unit) * p.unit_out() + panel * p.lanes;
                tile.panel = static_cast<const float*>(weights.data) + index * p.panel_floats();
                tile.bias = static_cast<const float*>(bias.data) + channel;
                tile.columns = std::min<std::int64_t>(p.lanes, p.unit_out() - panel * p.lanes);
                run_panel(context, part, channel, copy + unit * p.unit_in(), tile);
            }
        }
    }

    void run_panel(const RunContext& context, const grouped::Part& part, std::int64_t channel, const float* copy,
                   grouped::Tile& tile) const {
        const Problem& p = problem;
        const auto* residual = head.residual < 0 ? nullptr : static_cast<const float*>(context.inputs[head.residual]);
        const auto* functions = code->multiply[p.side_by_side ? 1 : 0][p.columns.stride - 1];
        const std::int64_t tiles = divide_up(part.columns, grouped::tile_windows(p.lanes));
        for (std::int64_t y = 0; y < part.lines; ++y) {
            for (std::int64_t t = 0; t < tiles; ++t) {
                const std::int64_t x = part.columns * t / tiles, end = part.columns * (t + 1) / tiles;
                const std::int64_t at = p.output_at(part.picture, part.first_line + y, part.first_column + x, channel);
                tile.first = copy + y * p.lines.stride * p.copy_line() + x * p.columns.stride * p.copy_pixel();
                tile.output = static_cast<float*>(context.outputs[0]) + at;
                tile.residual = residual == nullptr ? nullptr : residual + at;
                functions[end - x - 1](tile);
            }
        }
    }
};

class Grouped final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.grouped"; }

    Support supports(const KernelRequest& request) const override {
        const auto problem = problem_of(request);
        if (!problem) return Support::no("takes Conv1d and Conv2d in groups, padded with zeros, alone");
        if (problem->group_in == 1) return Support::no("leaves depthwise ones to others");
        const WindowAxis& columns = problem->columns;
        if (columns.kernel != grouped::taps_across || columns.dilation != 1 || columns.stride > 2)
            return Support::no("takes windows of 3 columns that lie together, with a stride of 1 or 2, alone");
        return supports_packed_f32(request, problem->macs());
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        auto kernel = std::make_unique<PreparedGrouped>();
        Problem& p = kernel->problem = problem_of(request).value();
        const Layout input = layout_of(p, request.inputs[0].layout, p.unit_in());
        const Layout& offered = request.outputs[0].layout;
        const Layout output = layout_of(p, offered == Layout::plain() ? input : offered, p.unit_out());
        p.blocked_in = input.kind == LayoutKind::blocked;
        p.blocked_out = output.kind == LayoutKind::blocked;
        const Isa isa = p.lanes == 16 ? Isa::avx512 : Isa::avx2;
        kernel->code = p.lanes == 16 ? &grouped::code_avx512() : &grouped::code_avx2();
        kernel->line_offsets = p.line_offsets();
        if (!pack(*kernel, request.node, provider)) {
            refusal = "the weights hold NaN, Inf or numbers near overflow, which padding would spread";
            return nullptr;
        }
        kernel->head = fuse_head(request, has_row_function);
        kernel->epilogue = sum_epilogue(kernel->head, isa);
        if (!place_fused(*kernel, kernel->head, kernel->rest, request, provider, input, output, refusal))
            return nullptr;
        kernel->workers =
            std::min(std::clamp<std::int64_t>(request.options.threads, 1, TaskRanges::max_workers), p.tasks());
        kernel->scratch_bytes = static_cast<std::size_t>(kernel->workers * p.copy_floats()) * sizeof(float);
        kernel->description = fmt::format("own convolution in groups {}", name_of(isa));
        return kernel;
    }

   private:
    /// Blocks of a vector where they are offered and units have whole ones.
    static Layout layout_of(const Problem& p, const Layout& offered, std::int64_t unit_channels) {
        const Layout blocked = Layout::blocked(p.lanes);
        return offered == blocked && unit_channels % p.lanes == 0 ? blocked : Layout::channels_last();
    }

    static bool pack(PreparedGrouped& kernel, const Node& node, WeightProvider& provider) {
        const Problem& p = kernel.problem;
        const Value& weight = *node.parameter("weight");
        kernel.bias = pack_bias(node, provider, p.out_channels() + p.lanes);
        if (!provider.available(weight)) return true;
        const std::int64_t unit_floats = p.panels() * p.panel_floats();
        const auto pack_units = [&](const float* rows, std::int64_t first, std::int64_t, float* packed) {
            grouped::pack_unit(p, rows, packed + first / p.unit_out() * unit_floats);
        };
        const std::string key =
            fmt::format("panels of {} groups of {} lanes{}", p.groups, p.lanes, p.side_by_side ? " side by side" : "");
        kernel.weights =
            pack_rows(weight, provider, key, {p.units() * unit_floats, p.unit_out(), p.pads(), pack_units});
        kernel.packed_bytes = kernel.weights.bytes + kernel.bias.bytes;
        return kernel.weights.data != nullptr;
    }
};

}  // namespace

const Kernel& grouped_kernel() {
    static const Grouped kernel;
    return kernel;
}

}  // namespace seq::cpu
