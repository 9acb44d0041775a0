#include <fmt/format.h>

#include <algorithm>

#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/convolution.hpp"
#include "kernels/cpu/fused_head.hpp"
#include "kernels/cpu/group_request.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/pointwise/prepared.hpp"
#include "kernels/cpu/squeeze_excitation/sums.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu {
namespace {

namespace squeeze = squeeze_excitation;

/// Below so many floats of input one thread does all.
constexpr std::int64_t least_shared_floats = 48 * 1024;
/// Below so many weights one thread multiplies by them.
constexpr std::int64_t least_shared_weights = 16 * 1024;

/// The sizes, and how the work is cut: a task takes some rows and channels of a picture, sums them up, and multiplies
/// the sums by its channels' weights of the first product, whose results are added up after all tasks.
struct Plan {
    std::int64_t batch = 0, pixels = 0, channels = 0;
    std::int64_t middle = 0, out = 0;
    int lanes = 16;

    std::int64_t part_pixels = 0, part_channels = 0;
    std::int64_t last_parts = 1;  ///< of the columns of the second product

    std::int64_t pixel_parts() const { return divide_up(pixels, part_pixels); }
    std::int64_t channel_parts() const { return divide_up(channels, part_channels); }
    std::int64_t parts() const { return pixel_parts() * channel_parts(); }
    std::int64_t tasks() const { return batch * parts(); }
    std::int64_t padded_middle() const { return round_up(middle, lanes); }
    std::int64_t padded_out() const { return round_up(out, lanes); }
    std::int64_t panels(std::int64_t columns) const { return divide_up(columns, 2 * lanes); }
    std::int64_t sum_floats() const { return round_up(part_channels, lanes); }
    std::int64_t partial_floats() const { return tasks() * padded_middle(); }
    std::int64_t middle_floats() const { return batch * padded_middle(); }
};

void cut_into_tasks(Plan& plan, int threads) {
    const bool alone = plan.pixels * plan.channels < least_shared_floats || plan.batch % threads == 0;
    const std::int64_t parts = alone ? 1 : threads;
    // Where there are few pixels, what comes before cuts its work by channels as well.
    const bool by_channels = plan.channels >= 3 * plan.pixels;
    plan.part_pixels = by_channels ? plan.pixels : divide_up(plan.pixels, parts);
    plan.part_channels = by_channels ? round_up(divide_up(plan.channels, parts), 2 * plan.lanes) : plan.channels;
    const bool many_weights = plan.batch * plan.middle * plan.out >= least_shared_weights;
    plan.last_parts = many_weights ? std::min<std::int64_t>(threads, plan.panels(plan.out)) : 1;
}

/// A product of matrices with its epilogue.
struct Product {
    PackedWeights weights, bias;
    std::int64_t in = 0, out = 0;
    SumEpilogue epilogue;

    pointwise::Panels panels(const float* other_bias = nullptr) const {
        const auto* own_bias = static_cast<const float*>(bias.data);
        return {static_cast<const float*>(weights.data), other_bias == nullptr ? own_bias : other_bias, in, out};
    }
};

class PreparedExcitation final : public PreparedKernel {
   public:
    PreparedExcitation() { ignores_nonfinite = true; }

    void run(const RunContext& context) const override {
        Buffers buffers;
        buffers.input = static_cast<const float*>(context.inputs[0]);
        buffers.output = static_cast<float*>(context.outputs[0]);
        buffers.partials = reinterpret_cast<float*>(context.scratch);
        buffers.middle = buffers.partials + plan.partial_floats();
        float* sums = buffers.middle + plan.middle_floats();
        run_tasks(plan.tasks(), workers, [&](std::int64_t worker, std::int64_t task) {
            run_task(buffers, task, sums + worker * plan.sum_floats());
        });
        for (std::int64_t picture = 0; picture < plan.batch; ++picture) {
            code->sum(buffers.partials + picture * plan.parts() * plan.padded_middle(), plan.parts(),
                      plan.padded_middle(), 0, plan.middle, nullptr, first.epilogue,
                      buffers.middle + picture * plan.padded_middle());
        }
        run_tasks(plan.last_parts, plan.last_parts, [&](std::int64_t, std::int64_t part) { run_last(buffers, part); });
    }

    /// To be called when the members below are set.
    void finish(int threads) {
        workers = plan.batch * plan.pixels * plan.channels < least_shared_floats
                      ? 1
                      : std::min(std::clamp<std::int64_t>(threads, 1, TaskRanges::max_workers), plan.tasks());
        serial = workers == 1 && plan.last_parts == 1;
        scratch_bytes = sizeof(float) * static_cast<std::size_t>(plan.partial_floats() + plan.middle_floats() +
                                                                 workers * plan.sum_floats());
        packed_bytes = first.weights.bytes + first.bias.bytes + last.weights.bytes + last.bias.bytes + zeros.bytes;
    }

    Plan plan;
    const pointwise::Code* code = nullptr;
    squeeze::SumFunction sum_rows = nullptr;
    Product first, last;
    PackedWeights zeros;  ///< for the first product, whose bias one part alone adds
    std::int64_t workers = 1;

   private:
    struct Buffers {
        const float* input = nullptr;
        float *partials = nullptr, *middle = nullptr, *output = nullptr;
    };

    void run_task(const Buffers& buffers, std::int64_t task, float* sums) const {
        const std::int64_t part = task % plan.parts(), picture = task / plan.parts();
        const std::int64_t pixel = part / plan.channel_parts() * plan.part_pixels;
        const std::int64_t channel = part % plan.channel_parts() * plan.part_channels;
        squeeze::Rows rows;
        rows.first = buffers.input + (picture * plan.pixels + pixel) * plan.channels + channel;
        rows.stride = plan.channels;
        rows.count = std::min(plan.part_pixels, plan.pixels - pixel);
        rows.channels = std::min(plan.part_channels, plan.channels - channel);
        rows.factor = 1 / static_cast<float>(plan.pixels);
        sum_rows(rows, sums);
        pointwise::Tile tile;
        tile.rows = sums;
        tile.row_stride = plan.sum_floats();
        tile.channels = rows.channels;
        tile.output = buffers.partials + task * plan.padded_middle();
        tile.output_stride = plan.padded_middle();
        tile.unfinished = true;
        const auto* no_bias = static_cast<const float*>(zeros.data);
        pointwise::multiply_panels(*code, first.panels(part == 0 ? nullptr : no_bias), tile, 1, 0,
                                   plan.panels(plan.middle), channel);
    }

    void run_last(const Buffers& buffers, std::int64_t part) const {
        const std::int64_t panels = plan.panels(plan.out);
        const std::int64_t from = panels * part / plan.last_parts, to = panels * (part + 1) / plan.last_parts;
        pointwise::Tile tile;
        tile.rows = buffers.middle;
        tile.row_stride = plan.padded_middle();
        tile.channels = plan.middle;
        tile.output = buffers.output + from * 2 * plan.lanes;
        tile.output_stride = plan.out;
        tile.epilogue = last.epilogue;
        pointwise::multiply_panels(*code, last.panels(), tile, plan.batch, from, to);
    }
};

bool is_global_mean(const Node& node) {
    const bool adaptive = node.op.is<ops::AdaptiveAvgPool1d>() || node.op.is<ops::AdaptiveAvgPool2d>() ||
                          node.op.is<ops::AdaptiveAvgPool3d>();
    if (!adaptive || !node.epilogue.empty()) return false;
    const Sizes in = *node.input()->type.shape.sizes(), out = *node.output()->type.shape.sizes();
    return product(in) > 0 && product(out) == in[0] * in[1];
}

/// Whether the node is a 1×1 convolution that is done with its whole epilogue.
bool is_whole_product(const Node& node, const ComputeOptions& options) {
    const KernelRequest request = request_of(node, options);
    const auto layer = pointwise::layer_of(request);
    if (!layer || !layer->convolution || !pointwise::supports_layer(request, *layer)) return false;
    const FusedHead head = fuse_head(request, has_row_function);
    return head.count == node.epilogue.size() && head.residual < 0;
}

/// A global mean and two 1×1 convolutions after it: what Squeeze-and-Excitation scales channels by.
class SqueezeExcitation final : public GroupKernel {
   public:
    std::string_view name() const override { return "cpu.squeeze_excitation"; }

    std::vector<const Node*> match(const Graph& graph, const Node& first,
                                   const ComputeOptions& options) const override {
        if (usable_isa(options) == Isa::scalar || options.numerics == Numerics::strict) return {};
        if (!is_global_mean(first) || !is_f32(request_of(first, options))) return {};
        std::vector<const Node*> nodes{&first};
        for (int i = 0; i < 2; ++i) {
            const Node* node = only_user(graph, *nodes.back());
            if (node == nullptr || !is_whole_product(*node, options)) return {};
            nodes.push_back(node);
        }
        return nodes;
    }

    std::unique_ptr<PreparedKernel> prepare(const GroupRequest& request, WeightProvider& provider,
                                            std::string&) const override {
        const Isa isa = usable_isa(request.options);
        auto kernel = std::make_unique<PreparedExcitation>();
        Plan& plan = kernel->plan;
        const Sizes in = *request.nodes[0]->input()->type.shape.sizes();
        plan.batch = in[0];
        plan.channels = in[1];
        plan.pixels = product(in) / (in[0] * in[1]);
        plan.middle = request.nodes[1]->output()->type.shape[1].value();
        plan.out = request.nodes[2]->output()->type.shape[1].value();
        kernel->code = &pointwise::code_for(isa);
        plan.lanes = kernel->code->lanes;
        cut_into_tasks(plan, request.options.threads);
        kernel->sum_rows = isa == Isa::avx512 ? squeeze::sum_rows_avx512() : squeeze::sum_rows_avx2();
        kernel->first = pack(*request.nodes[1], plan.channels, plan.middle, request.options, provider);
        kernel->last = pack(*request.nodes[2], plan.middle, plan.out, request.options, provider);
        kernel->zeros = keep_floats(plan.padded_middle(),
                                    [&](float* values) { std::fill(values, values + plan.padded_middle(), 0.0f); });
        kernel->input_layouts.push_back(Layout::channels_last());
        kernel->output_layouts.push_back(Layout::channels_last());
        kernel->finish(request.options.threads);
        kernel->description = fmt::format("own means and products of matrices {}", name_of(isa));
        return kernel;
    }

   private:
    static Product pack(const Node& node, std::int64_t in, std::int64_t out, const ComputeOptions& options,
                        WeightProvider& provider) {
        const Isa isa = usable_isa(options);
        const int lanes = pointwise::code_for(isa).lanes;
        return {pointwise::pack_panels(node, provider, {in, out, lanes}),
                pack_bias(node, provider, round_up(out, lanes)), in, out,
                sum_epilogue(fuse_head(request_of(node, options), has_row_function), isa)};
    }
};

}  // namespace

const GroupKernel& squeeze_excitation_kernel() {
    static const SqueezeExcitation kernel;
    return kernel;
}

}  // namespace seq::cpu
