#include <algorithm>

#include "kernels/cpu/amx/problem.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/fused_head.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/onednn/reorder.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu {
namespace {

using namespace amx;

class PreparedAmx final : public PreparedKernel {
   public:
    PreparedAmx(const Problem& p, int workers) : problem(p), rows(rows_of(p)), workers_(workers) {
        ignores_nonfinite = true;
        if (p.copies())
            scratch_bytes =
                static_cast<std::size_t>(p.left_rows() * p.left_width() * p.channels) * sizeof(std::uint16_t);
        cut();
    }

    void run(const RunContext& context) const override {
        const auto* left = static_cast<const std::uint16_t*>(context.inputs[0]);
        if (problem.copies()) {
            auto* copied = reinterpret_cast<std::uint16_t*>(context.scratch);
            const std::int64_t row = problem.left_width() * problem.channels;
            parallel_for(problem.left_rows(), parallel_grain * 2 / row + 1,
                         [&](std::int64_t first, std::int64_t last) { copy_rows(problem, left, copied, first, last); });
            left = copied;
        }
        TaskRanges ranges(chunks_ * problem.panels(), workers_);
        parallel_for(ranges.workers(), 1, [&](std::int64_t first, std::int64_t last) {
            configure(rows.tile_rows);
            for (std::int64_t worker = first; worker < last; ++worker) {
                for (std::int64_t task = ranges.take(worker); task >= 0; task = ranges.take(worker))
                    run_task(context, left, task / problem.panels(), task % problem.panels());
            }
            release();
        });
        if (rest) rest->run(context.inputs, context.outputs[0]);
    }

    Problem problem;
    Rows rows;
    PackedWeights weights, bias;
    FusedHead head;
    std::optional<ElementwiseChain> rest;

   private:
    /// Chunks of rows that stay in the second-level cache while all panels go over them.
    void cut() {
        constexpr std::int64_t chunk_bytes = 768 << 10;
        const auto tiles = static_cast<std::int64_t>(rows.tiles.size());
        const std::int64_t tile_bytes = rows.tile_rows * problem.channels * 2;
        chunk_tiles_ = std::clamp<std::int64_t>(chunk_bytes / tile_bytes / 2 * 2, 2, tiles);
        chunks_ = divide_up(tiles, chunk_tiles_);
    }

    void run_task(const RunContext& context, const std::uint16_t* left, std::int64_t chunk, std::int64_t at) const {
        Panel panel;
        panel.left = left;
        panel.channels = problem.channels;
        panel.taps = rows.taps.data();
        panel.tap_count = problem.taps();
        panel.weights = static_cast<const std::uint16_t*>(weights.data) + at * problem.panel_weights();
        if (at + 1 < problem.panels()) panel.next = panel.weights + problem.panel_weights();
        panel.bias = static_cast<const float*>(bias.data) + at * panel_columns;
        if (head.residual >= 0)
            panel.residual = static_cast<const std::uint16_t*>(context.inputs[head.residual]) + at * panel_columns;
        panel.low = head.low;
        panel.high = head.high;
        panel.result = static_cast<std::uint16_t*>(context.outputs[0]) + at * panel_columns;
        panel.result_columns = problem.out_channels;
        panel.tile_rows = rows.tile_rows;
        const std::int64_t first = chunk * chunk_tiles_;
        const std::int64_t count = std::min(chunk_tiles_, static_cast<std::int64_t>(rows.tiles.size()) - first);
        multiply(panel, rows.tiles.data() + first, count);
    }

    std::int64_t workers_;
    std::int64_t chunk_tiles_ = 2, chunks_ = 1;
};

class AmxConvolution final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.amx_convolution"; }
    bool takes_lowered() const override { return true; }

    Support supports(const KernelRequest& request) const override {
        const auto problem = problem_of(request);
        if (!problem) return Support::no("takes Conv2d without groups, padded with zeros, alone");
        if (request.options.dtype != MathMode::bf16) return Support::no("computes in bf16 alone");
        if (!request.outputs[0].layout.is_lowered()) return Support::no("gives bf16 alone");
        if (!is_f32_kept(request) || !has_known_parameters(request))
            return Support::no("takes weights that are known before the run");
        if (usable_isa(request.options) != Isa::avx512 || !onednn::has_bf16_tiles())
            return Support::no("needs amx_bf16");
        if (problem->channels % step_depth != 0 || problem->out_channels % panel_columns != 0)
            return Support::no("takes channels in multiples of 32 alone");
        if (problem->pixels() == 0) return Support::no("takes operands that are not empty alone");
        if (problem->pixels() > INT32_MAX) return Support::no("takes fewer pixels");
        const bool many = problem->pixels() > most_pixels && problem->weights() < most_weights;
        return many && request.options.estimate ? Support::no("estimated to be slower than oneDNN on many pixels")
                                                : Support{};
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        const Problem problem = problem_of(request).value();
        auto kernel = std::make_unique<PreparedAmx>(problem, request.options.threads);
        if (!pack(*kernel, request, provider, refusal)) return nullptr;
        kernel->head = fuse_head(request, [](Unary) { return false; });
        std::vector<Placed> inputs = place_inputs(request, Layout::channels_last());
        const Layout lowered = Layout::channels_last().kept(Kept::bf16);
        inputs[0] = inputs[0].in(lowered);
        if (kernel->head.residual >= 0) {
            Placed& residual = inputs[static_cast<std::size_t>(kernel->head.residual)];
            residual = residual.in(lowered);
            kernel->in_place.emplace_back(kernel->head.residual, 0);
        }
        for (const Placed& input : inputs) kernel->input_layouts.push_back(input.layout);
        kernel->output_layouts.push_back(lowered);
        kernel->description = "own amx_bf16";
        if (!append_rest(kernel->rest, *kernel, request, provider, inputs, place_output(request, lowered.order()),
                         kernel->head.count, refusal))
            return nullptr;
        return kernel;
    }

   private:
    /// Measured beside oneDNN's: with more pixels and fewer weights than these, what is gained by fetching weights
    /// ahead is less than what its blocks gain.
    static constexpr std::int64_t most_pixels = 512, most_weights = std::int64_t{1} << 20;

    static bool pack(PreparedAmx& kernel, const KernelRequest& request, WeightProvider& provider,
                     std::string& refusal) {
        const Problem& problem = kernel.problem;
        kernel.bias = pack_bias(request.node, provider, problem.out_channels);
        const Value& value = *request.node.inputs[1];
        if (!provider.available(value)) return true;
        bool extreme = false;
        const auto bytes = static_cast<std::size_t>(problem.panels() * problem.panel_weights()) * sizeof(std::uint16_t);
        kernel.weights = provider.packed(
            value, "panels of 32 for amx_bf16",
            [&](const TensorView& plain) {
                extreme = problem.copies() && has_extreme(plain);
                return keep_bytes(bytes, [&](void* packed) {
                    pack_weights(problem, plain.as<float>(), static_cast<std::uint16_t*>(packed));
                });
            },
            bytes);
        if (extreme) refusal = "its zeros around pictures, times weights of Inf or NaN, would be NaN";
        kernel.packed_bytes = kernel.weights.bytes + kernel.bias.bytes;
        return !extreme;
    }
};

}  // namespace

const Kernel& amx_convolution_kernel() {
    static const AmxConvolution kernel;
    return kernel;
}

}  // namespace seq::cpu
