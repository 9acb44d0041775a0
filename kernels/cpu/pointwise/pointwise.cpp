#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "graph/ops/convolution.hpp"
#include "graph/ops/linear.hpp"
#include "kernels/cpu/fused_head.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/pointwise/problem.hpp"
#include "kernels/cpu/pointwise/rows.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu {
namespace {

using pointwise::Code;
using pointwise::Problem;
using pointwise::Rows;

/// The product that a node is.
struct Layer {
    Problem problem;
    Rows rows;
    Layout layout;
};

template <int N>
std::optional<Layer> convolution_layer(const KernelRequest& request) {
    const auto* conv = request.node.op.as<ops::Conv<N>>();
    if (conv == nullptr || conv->groups != 1) return std::nullopt;
    Layer layer;
    const auto &in = request.inputs[0].sizes, &out = request.outputs[0].sizes;
    for (int i = 0; i < N; ++i) {
        const ops::Window window = conv->window(i);
        if (window.kernel != 1 || window.pad_before != 0 || window.pad_after != 0) return std::nullopt;
        const auto from = static_cast<std::size_t>(i) + 2;
        const int to = 3 - N + i;
        layer.rows.in_sizes[to] = in[from];
        layer.rows.out_sizes[to] = out[from];
        layer.rows.strides[to] = window.stride;
    }
    layer.rows.channels = in[1];
    layer.problem.in_channels = in[1];
    layer.problem.out_channels = out[1];
    layer.problem.rows = out[0] * product(layer.rows.out_sizes);
    layer.layout = Layout::channels_last();
    return layer;
}

std::optional<Layer> linear_layer(const KernelRequest& request) {
    if (!request.node.op.is<ops::Linear>()) return std::nullopt;
    const auto &in = request.inputs[0].sizes, &out = request.outputs[0].sizes;
    Layer layer;
    layer.rows.channels = layer.problem.in_channels = in.back();
    layer.problem.out_channels = out.back();
    layer.problem.rows = product(std::span(out).first(out.size() - 1));
    return layer;
}

std::optional<Layer> layer_of(const KernelRequest& request) {
    auto layer = convolution_layer<1>(request);
    if (!layer) layer = convolution_layer<2>(request);
    if (!layer) layer = convolution_layer<3>(request);
    if (!layer) layer = linear_layer(request);
    if (!layer) return std::nullopt;
    layer->problem.lanes = usable_isa(request.options) == Isa::avx512 ? 16 : 8;
    pointwise::cut_into_tasks(layer->problem, request.options.threads);
    return layer;
}

class PreparedPointwise final : public PreparedKernel {
   public:
    void run(const RunContext& context) const override {
        auto* scratch = reinterpret_cast<float*>(context.scratch);
        std::array<std::int64_t, TaskRanges::max_workers> copied;
        copied.fill(-1);
        run_tasks(problem.tasks(), workers, [&](std::int64_t worker, std::int64_t task) {
            Block block = block_at(context, task / problem.column_parts());
            if (copies) {
                float* copy = scratch + worker * problem.block_rows * problem.copy_stride();
                std::int64_t& held = copied[static_cast<std::size_t>(worker)];
                if (held != block.first) copy_rows(context, block, copy);
                held = block.first;
                block.rows = copy;
                block.row_stride = problem.copy_stride();
            }
            multiply_block(context, block, task % problem.column_parts());
        });
        if (rest) rest->run(context.inputs, static_cast<float*>(context.outputs[0]));
    }

    Problem problem;
    Rows rows;
    const Code* code = nullptr;
    PackedWeights weights, bias;
    FusedHead head;
    SumEpilogue epilogue;
    bool copies = false;
    std::int64_t workers = 1;
    std::optional<ElementwiseChain> rest;

   private:
    struct Block {
        std::int64_t first, count;
        const float* rows;
        std::int64_t row_stride;
    };

    Block block_at(const RunContext& context, std::int64_t index) const {
        const std::int64_t first = index * problem.block_rows;
        const std::int64_t count = std::min(problem.block_rows, problem.rows - first);
        const auto* input = static_cast<const float*>(context.inputs[0]);
        return {first, count, input + first * problem.in_channels, problem.in_channels};
    }

    void copy_rows(const RunContext& context, const Block& block, float* target) const {
        const auto* input = static_cast<const float*>(context.inputs[0]);
        rows.copy(*code, input, block.first, block.count, {}, target, problem.copy_stride());
    }

    void multiply_block(const RunContext& context, const Block& block, std::int64_t part) const {
        const std::int64_t first = part * problem.task_panels;
        const std::int64_t last = std::min(first + problem.task_panels, problem.panels());
        const std::int64_t at = block.first * problem.out_channels + first * 2 * problem.lanes;
        pointwise::Tile tile;
        tile.rows = block.rows;
        tile.row_stride = block.row_stride;
        tile.channels = problem.in_channels;
        tile.output = static_cast<float*>(context.outputs[0]) + at;
        tile.output_stride = problem.out_channels;
        tile.epilogue = epilogue;
        if (head.residual >= 0) tile.residual = static_cast<const float*>(context.inputs[head.residual]) + at;
        const pointwise::Panels panels{static_cast<const float*>(weights.data), static_cast<const float*>(bias.data),
                                       problem.in_channels, problem.out_channels};
        pointwise::multiply_panels(*code, panels, tile, block.count, first, last);
    }
};

class Pointwise final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.pointwise"; }

    Support supports(const KernelRequest& request) const override {
        const auto layer = layer_of(request);
        if (!layer) return Support::no("takes Linear and convolutions of one number a window, without groups, alone");
        if (!is_f32(request)) return Support::no("computes in f32 alone");
        if (usable_isa(request.options) == Isa::scalar) return Support::no("needs AVX2 or AVX-512");
        for (int i = 1; i < 1 + static_cast<int>(request.node.parameter_names.size()); ++i) {
            if (!request.is_weight(i)) return Support::no("takes weights that are known before the run");
        }
        if (layer->problem.macs() == 0) return Support::no("takes operands that are not empty alone");
        return {};
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        const Layer layer = layer_of(request).value();
        auto kernel = std::make_unique<PreparedPointwise>();
        kernel->problem = layer.problem;
        kernel->rows = layer.rows;
        kernel->code = &pointwise::code_for(usable_isa(request.options));
        pack(*kernel, request, provider);
        return place(*kernel, layer.layout, request, provider, refusal) ? std::move(kernel) : nullptr;
    }

   private:
    static void pack(PreparedPointwise& kernel, const KernelRequest& request, WeightProvider& provider) {
        const Problem& p = kernel.problem;
        kernel.weights = pointwise::pack_layer(request.node, provider, p.in_channels, p.out_channels, p.lanes);
        kernel.bias = pack_bias(request.node, provider, p.padded_out());
        kernel.packed_bytes = kernel.weights.bytes + kernel.bias.bytes;
    }

    static bool place(PreparedPointwise& kernel, const Layout& layout, const KernelRequest& request,
                      WeightProvider& provider, std::string& refusal) {
        const Isa isa = usable_isa(request.options);
        kernel.head = fuse_head(request, has_row_function);
        kernel.epilogue = sum_epilogue(kernel.head, isa);
        std::vector<Placed> inputs = place_inputs(request, layout);
        inputs[0].layout = layout;
        for (const Placed& input : inputs) kernel.input_layouts.push_back(input.layout);
        kernel.output_layouts.push_back(layout);
        if (kernel.head.residual >= 0) kernel.in_place.emplace_back(kernel.head.residual, 0);
        if (kernel.head.count < request.node.epilogue.size()) {
            ElementwiseChain chain(place_output(request, layout), isa);
            if (!chain.append_epilogue(request, provider, inputs, kernel.head.count, refusal)) return false;
            chain.finish();
            kernel.plain_weights = chain.plain_weights(request);
            kernel.rest = std::move(chain);
        }
        kernel.workers = std::clamp<std::int64_t>(request.options.threads, 1, TaskRanges::max_workers);
        kernel.workers = std::min(kernel.workers, kernel.problem.tasks());
        kernel.copies = !kernel.rows.contiguous();
        if (kernel.copies) {
            const std::int64_t floats = kernel.workers * kernel.problem.block_rows * kernel.problem.copy_stride();
            kernel.scratch_bytes = static_cast<std::size_t>(floats) * sizeof(float);
        }
        kernel.description = fmt::format("own product of matrices {}", name_of(isa));
        return true;
    }
};

}  // namespace

const Kernel& pointwise_kernel() {
    static const Pointwise kernel;
    return kernel;
}

}  // namespace seq::cpu
