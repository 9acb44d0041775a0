#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "kernels/cpu/depthwise/problem.hpp"
#include "kernels/cpu/fused_head.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu {
namespace {

using depthwise::Problem;
using depthwise::Row;

std::optional<Problem> problem_of(const KernelRequest& request) {
    auto problem =
        depthwise::problem_of(request.node, request.inputs[0], request.outputs[0], usable_isa(request.options));
    if (problem) depthwise::cut_into_tasks(*problem, request.options.threads);
    return problem;
}

class PreparedDepthwise final : public PreparedKernel {
   public:
    PreparedDepthwise() { ignores_nonfinite = true; }
    void run(const RunContext& context) const override {
        run_tasks(problem.tasks(), workers, [&](std::int64_t, std::int64_t task) { run_task(context, task); });
        if (rest) rest->run(context.inputs, context.outputs[0]);
    }

    Problem problem;
    depthwise::RowCode code = nullptr;
    PackedWeights weights, bias;
    std::vector<depthwise::Spread> spread;
    SumEpilogue epilogue;
    std::int64_t workers = 1;
    std::optional<ElementwiseChain> rest;

   private:
    void run_task(const RunContext& context, std::int64_t task) const {
        const Problem& p = problem;
        const std::int64_t channel = task % p.channel_parts() * p.task_channels;
        const std::int64_t part = task / p.channel_parts(), column = part % p.column_parts() * p.task_columns;
        const std::int64_t rows = part / p.column_parts(), picture = rows / p.row_parts();
        const std::int64_t first = rows % p.row_parts() * p.task_rows;
        const std::int64_t last = std::min(first + p.task_rows, p.out_height);
        const std::int64_t line = p.in_width * p.in_channels();
        const auto* input =
            static_cast<const float*>(context.inputs[0]) + picture * p.in_height * line + channel / p.multiplier;
        auto* output = static_cast<float*>(context.outputs[0]) +
                       (picture * p.out_height * p.out_width + column) * p.channels + channel;
        Row row = p.row_of(epilogue);
        row.in_stride = p.in_channels();
        row.out_stride = p.channels;
        row.pad_left -= column * p.stride_width;
        row.out_width = std::min(p.task_columns, p.out_width - column);
        row.channels = std::min(p.task_channels, p.channels - channel);
        row.in_channels = row.channels / p.multiplier;
        if (!spread.empty()) row.spread = spread.data();
        row.weights = static_cast<const float*>(weights.data) + channel * p.taps();
        row.bias = static_cast<const float*>(bias.data) + channel;
        row.output = output + first * p.out_width * p.channels;
        depthwise::run_rows(p, code, row, first, last, [&](std::int64_t y) { return input + y * line; });
    }
};

class Depthwise final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.depthwise"; }

    Support supports(const KernelRequest& request) const override {
        const auto problem = problem_of(request);
        if (!problem) return Support::no("takes depthwise Conv1d and Conv2d, padded with zeros, alone");
        if (Support support = supports_packed_f32(request, problem->macs()); !support) return support;
        if (problem->kernel_height > depthwise::max_kernel_height)
            return Support::no(fmt::format("takes kernels of at most {} rows", depthwise::max_kernel_height));
        return {};
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        const Isa isa = usable_isa(request.options);
        const Layout layout = Layout::channels_last();
        auto kernel = std::make_unique<PreparedDepthwise>();
        const Problem& p = kernel->problem = problem_of(request).value();
        kernel->code =
            p.plain() ? depthwise::row_code(p.kernel_width, p.stride_width, isa) : depthwise::row_code_any(isa);
        kernel->spread = p.spread();
        kernel->weights = depthwise::pack_layer(request.node, provider, p);
        kernel->bias = pack_bias(request.node, provider, p.padded_channels());
        kernel->packed_bytes = kernel->weights.bytes + kernel->bias.bytes;
        const FusedHead head = fuse_head_without_residual(request, has_row_function);
        kernel->epilogue = sum_epilogue(head, isa);
        if (!place_fused(*kernel, head, kernel->rest, request, provider, layout, layout, refusal)) return nullptr;
        kernel->workers = std::min<std::int64_t>(request.options.threads, p.tasks());
        kernel->description = fmt::format("own depthwise {}", name_of(isa));
        return kernel;
    }
};

}  // namespace

const Kernel& depthwise_kernel() {
    static const Depthwise kernel;
    return kernel;
}

}  // namespace seq::cpu
