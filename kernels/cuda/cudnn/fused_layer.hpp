#pragma once

#include "kernels/cuda/cudnn/engine.hpp"

namespace seq::cuda {

enum class LayerKind : std::uint8_t { convolution, transposed_convolution, linear, matmul, pool, norm };

/// Where a tensor of the output's sizes is added.
enum class ResidualPlace : std::uint8_t { none, before_activation, after_activation };

/// A window over one spatial dimension.
struct WindowSpec {
    std::int64_t kernel = 1, stride = 1, dilation = 1;
    std::int64_t pad_before = 0, pad_after = 0;
    /// Transposed convolutions: elements that the output has besides those that the formula gives.
    std::int64_t output_padding = 0;
};

/// A layer with the head of its epilogue: y = activation(op(x) + bias + residual), or with the residual after the
/// activation. Channels lie innermost in memory.
struct FusedLayer {
    LayerKind kind = LayerKind::convolution;
    MathMode math = MathMode::f32;
    /// Convolutions, pools and instance norms: images; Linear and MatMul: rows of the input (of each matrix); other
    /// norms: what they normalize, each `in_channels` numbers.
    std::int64_t batch = 1;
    std::int64_t in_channels = 0, out_channels = 0;
    /// Convolutions and pools: 1 to 3 spatial sizes and a window for each. Those of pools have no dilation. Instance
    /// norms: the sizes alone.
    std::vector<std::int64_t> spatial;
    std::vector<WindowSpec> windows;
    std::int64_t groups = 1;
    /// Pools: MAXPOOL or one of the AVGPOOLs.
    cudnnResampleMode_t pooling = CUDNN_RESAMPLE_MAXPOOL;
    /// Norms: LAYER_NORM, RMS_NORM or INSTANCE_NORM, each with a scale for every channel. The bias is a part of them.
    cudnnBackendNormMode_t norm = CUDNN_LAYER_NORM;
    float epsilon = 0;
    /// MatMul: how many products [batch, in] [in, out], each with a second matrix of its own, and whether they share
    /// the first one.
    std::int64_t matrices = 1;
    bool one_first_matrix = false;
    bool bias = false;
    ResidualPlace residual = ResidualPlace::none;
    std::optional<PointwiseFunction> activation;
};

/// Spatial sizes of the output of what has some.
std::vector<std::int64_t> output_spatial(const FusedLayer& layer);

/// Whether each channel of the output is made of one of the input, and no two of the same.
bool is_depthwise(const FusedLayer& layer);

/// Why no operation graph can be written for the layer, whatever cuDNN has; empty where one can.
std::string fault_of(const FusedLayer& layer);

/// The tensors of a layer's graphs; the weight of a norm is its scale.
enum LayerTensor : TensorId {
    input_tensor = 1,
    weight_tensor,
    bias_tensor,
    residual_tensor,
    output_tensor,
    lower_limit_tensor,
    upper_limit_tensor,
    epsilon_tensor
};

/// An operation graph that does a layer, or the part of it that its flags say. What is left is done after it in the
/// layer's order, by another kernel.
struct LayerForm {
    /// "convolution + residual + bias + relu".
    std::string name;
    GraphSpec graph;
    bool residual = false, bias = false, activation = false;
    /// The graph takes a bias that the layer has not: zeros have to be given.
    bool zero_bias = false;
    /// As the input and the weight have to be packed: channels beyond the layer's are zeros.
    std::int64_t in_channels = 0;
};

/// The forms of a layer that fault_of lets pass, the one that does most of it first: in the order in which cuDNN's
/// precompiled engines take a convolution (residual, then bias, both in the type of the input, then the activation);
/// without the activation; with the bias alone; bare. Linear also as a 1x1 convolution, which has precompiled engines
/// where products of matrices have none. A clip first by one function for each limit, which are fused when cuDNN may
/// compile, and then by one function, for which there are precompiled engines.
std::vector<LayerForm> layer_forms(const FusedLayer& layer);

}  // namespace seq::cuda
