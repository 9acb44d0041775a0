#pragma once

#include "kernels/cuda/cudnn/fused_layer.hpp"
#include "kernels/kernel.hpp"

namespace seq::cuda {

/// A node as a layer: its op, and of its epilogue, from the first op on, as much as a FusedLayer can say.
struct NodeLayer {
    FusedLayer layer;
    /// By their index among the node's inputs.
    int input = 0, weight = 1;
    std::optional<int> bias, residual;
    /// Norms: what they multiply by; none where that is 1.
    std::optional<int> scale;
    /// Whether the weight is [in, out], as the second matrix of a MatMul is that is read as a Linear.
    bool weight_is_transposed = false;
    /// Whether values lie with their channels innermost, as those of convolutions do, or else plain.
    bool channels_last = false;
    /// How many ops of the epilogue the layer has, in this order or with the residual after the activation: of each
    /// none or one.
    int bias_ops = 0, residual_ops = 0, activation_ops = 0;

    /// How many ops of the epilogue a form of the layer does. What it leaves is the bias, where it has none and the
    /// layer does, and then the epilogue from there on.
    std::size_t done_by(const LayerForm& form) const;
    bool leaves_bias(const LayerForm& form) const { return layer.bias && !form.bias; }
};

/// In the math mode of the request's options; what multiplies nothing in the one in which its result is kept. nullopt,
/// with the reason, where the node is no such layer, or where no operation graph can be written for it.
std::optional<NodeLayer> node_layer(const KernelRequest& request, std::string& reason);

/// The mode of what multiplies no matrices: it computes in f32, and rounds what is kept rounded.
MathMode math_of_result(const KernelRequest& request);

/// Convolution, transposed convolution, Linear, MatMul, pool or norm; nullopt for all other ops.
std::optional<LayerKind> layer_kind(const Op& op);

}  // namespace seq::cuda
