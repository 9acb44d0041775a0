#include <algorithm>
#include <optional>

#include "graph/ops/arithmetic.hpp"
#include "kernels/cpu/group_request.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/norm/affine.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/pointwise/prepared.hpp"

namespace seq::cpu {
namespace {

using pointwise::Layer;
using pointwise::PreparedPointwise;

/// The inputs of a Mul of an activation with one number for each channel of each picture.
struct Scaling {
    const Value* rows = nullptr;
    const Value* scale = nullptr;
};

std::optional<Scaling> scaling_of(const Node& node) {
    if (binary_call(node.op) != Binary::mul || node.data_count != 2 || !node.epilogue.empty()) return std::nullopt;
    const Sizes whole = *node.output()->type.shape.sizes();
    for (const int i : {0, 1}) {
        const Value &rows = *node.input(i), &scale = *node.input(1 - i);
        if (rows.is_constant_like() || scale.is_constant_like() || *rows.type.shape.sizes() != whole) continue;
        Sizes channels(whole.size(), 1);
        std::copy_n(whole.begin(), std::min<std::size_t>(whole.size(), 2), channels.begin());
        if (*scale.type.shape.sizes() == channels) return Scaling{&rows, &scale};
    }
    return std::nullopt;
}

/// A norm with running statistics, and perhaps a ReLU after it.
bool is_affine(const Node& node, const ComputeOptions& options) {
    if (!running_eps(node.op) || !has_known_parameters(request_of(node, options))) return false;
    const auto& epilogue = node.epilogue;
    if (epilogue.empty()) return true;
    const auto unary = epilogue.size() == 1 ? unary_call(epilogue[0].op) : std::nullopt;
    return unary && unary->function == Unary::relu;
}

/// What scales channels, and the 1×1 convolution that alone reads it: the rows are scaled on their way into the
/// product.
class ScaledPointwise final : public GroupKernel {
   public:
    std::string_view name() const override { return "cpu.scaled_pointwise"; }

    std::vector<const Node*> match(const Graph& graph, const Node& first,
                                   const ComputeOptions& options) const override {
        if (!scaling_of(first) && !is_affine(first, options)) return {};
        const Node* node = only_user(graph, first);
        if (node == nullptr || !is_f32(request_of(first, options))) return {};
        const KernelRequest request = request_of(*node, options);
        const auto layer = pointwise::layer_of(request);
        if (!layer || !layer->convolution || !pointwise::supports_layer(request, *layer)) return {};
        if (fuse_head(request, has_row_function).count != node->epilogue.size()) return {};
        return {&first, node};
    }

    std::unique_ptr<PreparedKernel> prepare(const GroupRequest& request, WeightProvider& provider,
                                            std::string&) const override {
        const Node &first = *request.nodes[0], &last = *request.nodes[1];
        const auto scaling = scaling_of(first);
        const Value& rows = scaling ? *scaling->rows : *first.input();
        const int input = position_of(request, rows);
        KernelRequest product = request_of(last, request.options);
        const int operand = fuse_head(product, has_row_function).residual;
        const int residual = operand < 0 ? -1 : position_of(request, *last.input(operand));
        if (residual != input) {
            product.inputs[0].layout = request.inputs[static_cast<std::size_t>(input)].layout;
            product.outputs[0].layout = request.outputs[0].layout;
        }
        const Layer layer = pointwise::layer_of(product).value();
        auto kernel = std::make_unique<PreparedPointwise>(product, provider, layer);
        kernel->input = input;
        kernel->residual = residual;
        kernel->input_layouts.assign(request.values.size(), layer.output);
        kernel->input_layouts[static_cast<std::size_t>(input)] = layer.input;
        if (scaling) {
            kernel->scale = position_of(request, *scaling->scale);
            kernel->input_layouts[static_cast<std::size_t>(kernel->scale)] = Layout::channels_last();
        } else {
            set_affine(*kernel, request_of(first, request.options), provider);
        }
        kernel->output_layouts.push_back(layer.output);
        kernel->finish(request.options.threads);
        kernel->description += ", inputs scaled";
        return kernel;
    }

   private:
    static void set_affine(PreparedPointwise& kernel, const KernelRequest& norm, WeightProvider& provider) {
        const auto channels = norm.inputs[0].sizes[1];
        const ChannelAffine affine = running_affine(norm, provider, channels, running_eps(norm.node.op).value());
        for (const std::vector<float>& values : {affine.scale, affine.shift}) {
            kernel.prologue_weights.push_back(
                keep_floats(channels, [&](float* kept) { std::copy(values.begin(), values.end(), kept); }));
            kernel.packed_bytes += kernel.prologue_weights.back().bytes;
        }
        kernel.prologue = {static_cast<const float*>(kernel.prologue_weights[0].data),
                           static_cast<const float*>(kernel.prologue_weights[1].data), !norm.node.epilogue.empty()};
    }
};

}  // namespace

const GroupKernel& scaled_pointwise_kernel() {
    static const ScaledPointwise kernel;
    return kernel;
}

}  // namespace seq::cpu
