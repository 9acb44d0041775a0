#include "kernels/cpu/pointwise/prepared.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "graph/ops/convolution.hpp"
#include "graph/ops/linear.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu::pointwise {
namespace {

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
    layer.convolution = true;
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

/// Channels last, unless the request has blocks of so many channels as a vector has.
void place_layer(Layer& layer, const KernelRequest& request) {
    const int lanes = layer.problem.lanes;
    const Layout last = Layout::channels_last(), blocked = Layout::blocked(lanes);
    layer.rows.blocked = request.inputs[0].layout == blocked;
    layer.input = layer.rows.blocked ? blocked : last;
    const Layout& offered = request.outputs[0].layout;
    const bool blocks = offered == blocked || (offered == Layout::plain() && layer.rows.blocked);
    layer.output = blocks && layer.problem.out_channels % lanes == 0 ? blocked : last;
}

}  // namespace

std::optional<Layer> layer_of(const KernelRequest& request) {
    auto layer = convolution_layer<1>(request);
    if (!layer) layer = convolution_layer<2>(request);
    if (!layer) layer = convolution_layer<3>(request);
    if (!layer) layer = linear_layer(request);
    if (!layer) return std::nullopt;
    layer->problem.lanes = usable_isa(request.options) == Isa::avx512 ? 16 : 8;
    if (layer->convolution) place_layer(*layer, request);
    cut_into_tasks(layer->problem, request.options.threads);
    return layer;
}

std::int64_t Layer::picture_rows() const { return convolution ? product(rows.out_sizes) : problem.rows; }

Support supports_layer(const KernelRequest& request, const Layer& layer) {
    return supports_packed_f32(request, layer.problem.macs());
}

PreparedPointwise::PreparedPointwise(const KernelRequest& request, WeightProvider& provider, const Layer& layer)
    : head(fuse_head(request, has_row_function)), layer_(layer) {
    const Problem& p = layer_.problem;
    const Isa isa = usable_isa(request.options);
    ignores_nonfinite = true;
    code_ = &code_for(isa);
    weights_ = pack_panels(request.node, provider, {p.in_channels, p.out_channels, p.lanes});
    bias_ = pack_bias(request.node, provider, p.padded_out());
    packed_bytes = weights_.bytes + bias_.bytes;
    residual = head.residual;
    epilogue_ = sum_epilogue(head, isa);
    description = fmt::format("own product of matrices {}", name_of(isa));
}

void PreparedPointwise::finish(int threads) {
    const Problem& p = layer_.problem;
    copies_ = !layer_.rows.contiguous() || layer_.rows.blocked || scale >= 0 || prologue.scale != nullptr;
    workers_ = std::min(std::clamp<std::int64_t>(threads, 1, TaskRanges::max_workers), p.tasks());
    if (copies_) scratch_bytes = static_cast<std::size_t>(workers_ * p.block_rows * p.copy_stride()) * sizeof(float);
}

void PreparedPointwise::run(const RunContext& context) const {
    const Problem& problem = layer_.problem;
    auto* scratch = reinterpret_cast<float*>(context.scratch);
    std::array<std::int64_t, TaskRanges::max_workers> copied;
    copied.fill(-1);
    const auto run_task = [&](std::int64_t worker, std::int64_t task) {
        Block block = block_at(context, task / problem.column_parts());
        if (copies_) {
            float* copy = scratch + worker * problem.block_rows * problem.copy_stride();
            std::int64_t& held = copied[static_cast<std::size_t>(worker)];
            if (held != block.first) copy_rows(context, block, copy);
            held = block.first;
            block.rows = copy;
            block.row_stride = problem.copy_stride();
        }
        multiply_block(context, block, task % problem.column_parts());
    };
    run_tasks(problem.tasks(), workers_, run_task, backwards(context));
    if (rest) rest->run(context.inputs, context.outputs[0]);
}

PreparedPointwise::Block PreparedPointwise::block_at(const RunContext& context, std::int64_t index) const {
    const Problem& problem = layer_.problem;
    const std::int64_t first = index * problem.block_rows;
    const std::int64_t count = std::min(problem.block_rows, problem.rows - first);
    const auto* rows = static_cast<const float*>(context.inputs[input]);
    return {first, count, rows + first * problem.in_channels, problem.in_channels};
}

void PreparedPointwise::copy_rows(const RunContext& context, const Block& block, float* target) const {
    const Problem& problem = layer_.problem;
    const auto* rows = static_cast<const float*>(context.inputs[input]);
    const std::int64_t picture_rows = layer_.picture_rows(), end = block.first + block.count;
    for (std::int64_t row = block.first; row < end;) {
        const std::int64_t picture = row / picture_rows;
        const std::int64_t count = std::min(end, (picture + 1) * picture_rows) - row;
        Prologue first = prologue;
        if (scale >= 0) first.scale = static_cast<const float*>(context.inputs[scale]) + picture * problem.in_channels;
        layer_.rows.copy(*code_, rows, row, count, first, target, problem.copy_stride());
        target += count * problem.copy_stride();
        row += count;
    }
}

void PreparedPointwise::multiply_block(const RunContext& context, Block block, std::int64_t part) const {
    if (layer_.output.kind != LayoutKind::blocked) return multiply_rows(context, block, part);
    const std::int64_t picture_rows = layer_.picture_rows(), end = block.first + block.count;
    while (block.first < end) {
        block.count = std::min(end, round_up(block.first + 1, picture_rows)) - block.first;
        multiply_rows(context, block, part);
        block.first += block.count;
        block.rows += block.count * block.row_stride;
    }
}

/// `block` lies in one picture where channels lie in blocks.
void PreparedPointwise::multiply_rows(const RunContext& context, const Block& block, std::int64_t part) const {
    const Problem& problem = layer_.problem;
    const std::int64_t first = part * problem.task_panels;
    const std::int64_t last = std::min(first + problem.task_panels, problem.panels());
    std::int64_t at = block.first * problem.out_channels + first * 2 * problem.lanes;
    Tile tile;
    tile.output_stride = problem.out_channels;
    if (layer_.output.kind == LayoutKind::blocked) {
        const std::int64_t pixels = layer_.picture_rows(), picture = block.first / pixels * pixels;
        at = picture * problem.out_channels + (first * 2 * pixels + block.first - picture) * problem.lanes;
        tile.output_stride = problem.lanes;
        tile.output_gap = (pixels - 1) * problem.lanes;
    }
    tile.rows = block.rows;
    tile.backwards = backwards(context);
    tile.row_stride = block.row_stride;
    tile.rows_are_far = !copies_;
    tile.channels = problem.in_channels;
    tile.output = static_cast<float*>(context.outputs[0]) + at;
    tile.epilogue = epilogue_;
    if (residual >= 0) tile.residual = static_cast<const float*>(context.inputs[residual]) + at;
    const Panels panels{static_cast<const float*>(weights_.data), static_cast<const float*>(bias_.data),
                        problem.in_channels, problem.out_channels};
    multiply_panels(*code_, panels, tile, block.count, first, last);
}

}  // namespace seq::cpu::pointwise
