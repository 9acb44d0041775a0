#include "kernels/cuda/cudnn/node_layer.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "graph/ops/arithmetic.hpp"
#include "graph/ops/conv_transpose.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/matmul.hpp"
#include "kernels/cuda/cudnn/activation.hpp"
#include "kernels/cuda/cudnn/norm_layer.hpp"
#include "kernels/cuda/cudnn/pool_layer.hpp"

namespace seq::cuda {
namespace {

using Sizes = std::vector<std::int64_t>;

std::int64_t product(std::span<const std::int64_t> sizes) {
    return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

/// Whether it is an f32 value, however it is kept.
bool is_f32(const Placed& placed) { return placed.in(Layout::plain()).dtype == DType::f32; }

/// The amounts of a convolution; false where `op` is none of `N` dimensions.
template <int N>
bool read_convolution(const Op& op, FusedLayer& layer, std::string& padding_mode) {
    const auto* conv = op.as<ops::Conv<N>>();
    if (conv == nullptr) return false;
    layer.groups = conv->groups;
    padding_mode = conv->padding_mode;
    for (int i = 0; i < N; ++i) {
        const ops::Window window = conv->window(i);
        layer.windows.push_back(
            {window.kernel, window.stride, window.dilation, window.pad_before, window.pad_after, 0});
    }
    return true;
}

template <int N>
bool read_transposed(const Op& op, FusedLayer& layer) {
    const auto* conv = op.as<ops::ConvTranspose<N>>();
    if (conv == nullptr) return false;
    layer.groups = conv->groups;
    for (int i = 0; i < N; ++i) {
        layer.windows.push_back({conv->kernel_size.at(i), conv->stride.at(i), conv->dilation.at(i), conv->padding.at(i),
                                 conv->padding.at(i), conv->output_padding.at(i)});
    }
    return true;
}

class Reader {
   public:
    explicit Reader(const KernelRequest& request) : request_(request), node_(request.node) {}

    std::optional<NodeLayer> read(std::string& reason) {
        reason = fault();
        if (!reason.empty()) return std::nullopt;
        read_epilogue();
        reason = fault_of(read_.layer);
        return reason.empty() ? std::optional(std::move(read_)) : std::nullopt;
    }

   private:
    std::string fault() {
        const auto kind = layer_kind(node_.op);
        if (!kind) return "takes convolutions, Linear, MatMul, pools and norms alone";
        const bool floats = std::all_of(request_.inputs.begin(), request_.inputs.end(), is_f32);
        if (!floats || !is_f32(request_.outputs[0])) return "takes f32 values alone";
        const int parameters = static_cast<int>(node_.parameter_names.size());
        for (int i = node_.data_count; i < node_.data_count + parameters; ++i) {
            if (!request_.is_weight(i)) return "takes weights that are known before the run";
        }
        FusedLayer& layer = read_.layer;
        layer.kind = *kind;
        layer.math = request_.options.dtype;
        read_.weight = 1;
        layer.bias = parameters > 1;
        if (layer.bias) read_.bias = node_.data_count + 1;
        switch (*kind) {
            case LayerKind::linear: return read_linear();
            case LayerKind::matmul: return read_matmul();
            case LayerKind::pool: read_.channels_last = true; return read_pool(request_, layer);
            case LayerKind::norm: return read_norm_like();
            default: return read_convolution_like();
        }
    }

    std::string read_convolution_like() {
        FusedLayer& layer = read_.layer;
        const Sizes& input = request_.inputs[0].sizes;
        std::string padding_mode = "zeros";
        const Op& op = node_.op;
        const bool known = read_convolution<1>(op, layer, padding_mode) ||
                           read_convolution<2>(op, layer, padding_mode) ||
                           read_convolution<3>(op, layer, padding_mode) || read_transposed<1>(op, layer) ||
                           read_transposed<2>(op, layer) || read_transposed<3>(op, layer);
        if (!known) return "takes 1 to 3 spatial dimensions";
        if (padding_mode != "zeros") return "pads with zeros alone";
        read_.channels_last = true;
        layer.batch = input[0];
        layer.in_channels = input[1];
        layer.out_channels = request_.outputs[0].sizes[1];
        layer.spatial.assign(input.begin() + 2, input.end());
        return {};
    }

    std::string read_norm_like() {
        if (!node_.parameter_names.empty()) read_.scale = node_.data_count;
        std::string fault = read_norm(request_, read_.layer);
        read_.channels_last = read_.layer.norm == CUDNN_INSTANCE_NORM;
        return fault;
    }

    std::string read_linear() {
        const Sizes &input = request_.inputs[0].sizes, &weight = request_.inputs[1].sizes;
        read_.layer.batch = product(std::span(input).first(input.size() - 1));
        read_.layer.in_channels = weight[1];
        read_.layer.out_channels = weight[0];
        return {};
    }

    /// cuDNN's products have one dimension for the matrices, over which either side may be one matrix for all. With a
    /// second matrix that is known it is a Linear, for which there are engines that need no compiling.
    std::string read_matmul() {
        Sizes left = request_.inputs[0].sizes, right = request_.inputs[1].sizes;
        if (left.size() == 1) left.insert(left.begin(), 1);
        if (right.size() == 1) right.push_back(1);
        FusedLayer& layer = read_.layer;
        layer.in_channels = left.back();
        layer.out_channels = right.back();
        left.pop_back();
        layer.batch = left.back();
        left.pop_back();
        right.resize(right.size() - 2);
        left.insert(left.begin(), right.size() - std::min(left.size(), right.size()), 1);
        right.insert(right.begin(), left.size() - right.size(), 1);
        // First matrices that lie one after the other and meet the same second one are one of more rows.
        for (; !right.empty() && right.back() == 1; left.pop_back(), right.pop_back()) layer.batch *= left.back();
        layer.matrices = product(right);
        layer.one_first_matrix = product(left) == 1 && layer.matrices > 1;
        if (layer.matrices == 1 && request_.is_weight(1)) {
            layer.kind = LayerKind::linear;
            read_.weight_is_transposed = true;
        }
        if (layer.one_first_matrix || left == right) return {};
        return "takes matrices that are broadcast over all dimensions before them, or second ones over the last of them";
    }

    void read_epilogue() {
        FusedLayer& layer = read_.layer;
        take_bias();
        if (take_residual()) layer.residual = ResidualPlace::before_activation;
        if (const PostOp* post = next()) {
            layer.activation = post->operand_count == 0 ? pointwise_of(post->op) : std::nullopt;
            read_.activation_ops = layer.activation ? 1 : 0;
        }
        if (layer.activation && !read_.residual && take_residual()) layer.residual = ResidualPlace::after_activation;
    }

    /// The first op of the epilogue that the layer has not.
    const PostOp* next() const {
        const auto taken = static_cast<std::size_t>(read_.bias_ops + read_.residual_ops + read_.activation_ops);
        return taken < node_.epilogue.size() ? &node_.epilogue[taken] : nullptr;
    }

    /// Which value the next op of the epilogue adds, where that is all it does.
    std::optional<int> next_addend() const {
        const PostOp* post = next();
        if (post == nullptr || post->operand_count != 1) return std::nullopt;
        const auto form = ops::arithmetic_form(post->op);
        if (!form || form->kind != ops::Arithmetic::add || form->other) return std::nullopt;
        return post->first_operand;
    }

    /// A sum with a weight that has one number for each column.
    void take_bias() {
        const auto addend = next_addend();
        if (!addend || read_.layer.bias || read_.channels_last || !request_.is_weight(*addend)) return;
        const Sizes& sizes = request_.inputs[static_cast<std::size_t>(*addend)].sizes;
        const std::int64_t columns = read_.layer.out_channels;
        if (sizes.empty() || sizes.back() != columns || product(sizes) != columns) return;
        read_.layer.bias = true;
        read_.bias = *addend;
        read_.bias_ops = 1;
    }

    /// A sum with a value of the result's sizes.
    bool take_residual() {
        const auto addend = next_addend();
        if (!addend || request_.is_weight(*addend) ||
            request_.inputs[static_cast<std::size_t>(*addend)].sizes != request_.outputs[0].sizes)
            return false;
        read_.residual = *addend;
        read_.residual_ops = 1;
        return true;
    }

    const KernelRequest& request_;
    const Node& node_;
    NodeLayer read_;
};

template <int... N>
bool is_convolution(const Op& op, std::integer_sequence<int, N...>) {
    return (op.is<ops::Conv<N + 1>>() || ...);
}
template <int... N>
bool is_transposed(const Op& op, std::integer_sequence<int, N...>) {
    return (op.is<ops::ConvTranspose<N + 1>>() || ...);
}

}  // namespace

std::size_t NodeLayer::done_by(const LayerForm& form) const {
    return static_cast<std::size_t>(bias_ops + (form.residual ? residual_ops : 0) +
                                    (form.activation ? activation_ops : 0));
}

MathMode math_of_result(const KernelRequest& request) {
    return request.outputs[0].layout.is_lowered() ? request.options.dtype : MathMode::f32;
}

std::optional<LayerKind> layer_kind(const Op& op) {
    constexpr std::make_integer_sequence<int, 3> dimensions;
    if (is_convolution(op, dimensions)) return LayerKind::convolution;
    if (is_transposed(op, dimensions)) return LayerKind::transposed_convolution;
    if (op.is<ops::Linear>()) return LayerKind::linear;
    if (is_pool(op)) return LayerKind::pool;
    if (is_norm(op)) return LayerKind::norm;
    return op.is<ops::MatMul>() ? std::optional(LayerKind::matmul) : std::nullopt;
}

std::optional<NodeLayer> node_layer(const KernelRequest& request, std::string& reason) {
    return Reader(request).read(reason);
}

}  // namespace seq::cuda
