#include <fmt/format.h>

#include <algorithm>

#include "graph/ops/conv_transpose.hpp"
#include "kernels/cpu/fused_head.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/pointwise/rows.hpp"
#include "kernels/cpu/spread/problem.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu {
namespace {

using spread::Problem;

class PreparedSpread final : public PreparedKernel {
   public:
    PreparedSpread(const KernelRequest& request, WeightProvider& provider, const Problem& problem)
        : head(fuse_head(request, has_row_function)), problem_(problem) {
        const Isa isa = usable_isa(request.options);
        code_ = &pointwise::code_for(isa);
        epilogue_ = sum_epilogue(head, isa);
        weights_ = pack_weights(problem, request.node, provider);
        bias_ = pack_bias(problem, request.node, provider);
        packed_bytes = weights_.bytes + bias_.bytes;
        rows_.channels = problem.in_channels;
        rows_.in_sizes[1] = rows_.out_sizes[1] = problem.height;
        rows_.in_sizes[2] = rows_.out_sizes[2] = problem.width;
        rows_.blocked = problem.blocked_in;
        workers_ =
            std::min(std::clamp<std::int64_t>(request.options.threads, 1, TaskRanges::max_workers), problem.tasks());
        scratch_bytes = static_cast<std::size_t>(workers_ * problem.copy_floats()) * sizeof(float);
        ignores_nonfinite = true;
        description = fmt::format("own product of matrices {}", name_of(isa));
    }

    void run(const RunContext& context) const override {
        auto* scratch = reinterpret_cast<float*>(context.scratch);
        run_tasks(problem_.tasks(), workers_, [&](std::int64_t worker, std::int64_t task) {
            spread_block(context, task, scratch + worker * problem_.copy_floats());
        });
        if (rest) rest->run(context.inputs, context.outputs[0]);
    }

    FusedHead head;
    /// What remains of the epilogue.
    std::optional<ElementwiseChain> rest;

   private:
    void spread_block(const RunContext& context, std::int64_t block, float* copy) const;

    Problem problem_;
    pointwise::Rows rows_;
    const pointwise::Code* code_ = nullptr;
    PackedWeights weights_, bias_;
    SumEpilogue epilogue_;
    std::int64_t workers_ = 1;
};

void PreparedSpread::spread_block(const RunContext& context, std::int64_t block, float* copy) const {
    const Problem& p = problem_;
    const std::int64_t picture = block / p.picture_blocks();
    const std::int64_t first = block % p.picture_blocks() * p.block_lines;
    const std::int64_t last = std::min(first + p.block_lines, p.height);
    const std::int64_t pixel = (picture * p.height + first) * p.width;
    const auto* const input = static_cast<const float*>(context.inputs[0]);
    const auto* const residual = head.residual < 0 ? nullptr : static_cast<const float*>(context.inputs[head.residual]);
    pointwise::Tile tile;
    tile.row_stride = p.blocked_in ? p.copy_stride() : p.in_channels;
    tile.channels = p.in_channels;
    tile.output_stride = p.columns();
    tile.epilogue = epilogue_;
    const float* rows = input + pixel * p.in_channels;
    if (p.blocked_in) {
        rows_.copy(*code_, input, pixel, (last - first) * p.width, {}, copy, p.copy_stride());
        rows = copy;
    }
    pointwise::Panels panels{static_cast<const float*>(weights_.data), nullptr, p.in_channels, p.columns()};
    for (std::int64_t line = 0; line < p.window_height; ++line) {
        for (std::int64_t group = 0; group < p.groups(); ++group, panels.weights += p.product_floats()) {
            panels.bias = static_cast<const float*>(bias_.data) + group * p.padded_columns();
            for (std::int64_t y = first; y < last; ++y) {
                const std::int64_t at = p.output_at(picture, group, y * p.window_height + line);
                tile.rows = rows + (y - first) * p.width * tile.row_stride;
                tile.output = static_cast<float*>(context.outputs[0]) + at;
                tile.residual = residual == nullptr ? nullptr : residual + at;
                multiply_panels(*code_, panels, tile, p.width, 0, divide_up(p.columns(), 2 * p.lanes));
            }
        }
    }
}

class Spread final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.spread"; }

    Support supports(const KernelRequest& request) const override {
        const auto problem = spread::problem_of(request);
        if (!problem)
            return Support::no(
                "takes ConvTranspose1d and ConvTranspose2d without groups, whose windows lie side by side, alone");
        return supports_packed_f32(request, problem->macs());
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        const Problem problem = spread::problem_of(request).value();
        auto kernel = std::make_unique<PreparedSpread>(request, provider, problem);
        const auto layout = [&](bool blocked) {
            return blocked ? Layout::blocked(problem.lanes) : Layout::channels_last();
        };
        if (!place_fused(*kernel, kernel->head, kernel->rest, request, provider, layout(problem.blocked_in),
                         layout(problem.blocked_out), refusal))
            return nullptr;
        return kernel;
    }
};

}  // namespace

const Kernel& spread_kernel() {
    static const Spread kernel;
    return kernel;
}

}  // namespace seq::cpu
