#pragma once

#include <cudnn.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/dtype.hpp"

// An operation graph of cuDNN as plain data: what is built, compared, printed and looked up in caches.
namespace seq::cuda {

/// nullopt where cuDNN has no such type.
std::optional<cudnnDataType_t> cudnn_type(DType dtype);

/// By which a variant pack names a tensor.
using TensorId = std::int64_t;

struct TensorSpec {
    TensorId id = 0;
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    /// In cuDNN's order: [N, C, spatial...] or [matrices, rows, columns], whatever the strides say of memory.
    std::vector<std::int64_t> sizes;
    std::vector<std::int64_t> strides;
    /// Between two operations, never in memory.
    bool is_virtual = false;
    /// One f32 that the graph is given with each run from the host's memory: this one.
    std::optional<float> constant{};

    bool operator==(const TensorSpec&) const = default;
};

/// Strides, in elements, of [N, C, spatial...] whose channels lie innermost.
std::vector<std::int64_t> channels_last_strides(const std::vector<std::int64_t>& sizes);

/// Cross-correlation; `transposed`: the gradient with respect to its input, so that x is [N, in, ...], the weight
/// [in, out / groups, kernel...] and y [N, out, ...]. Otherwise the weight is [out, in / groups, kernel...]. Each
/// vector has a number for each spatial dimension.
struct ConvolutionOperation {
    bool transposed = false;
    TensorId x = 0, weight = 0, y = 0;
    std::vector<std::int64_t> pad_before, pad_after, stride, dilation;
    cudnnDataType_t compute = CUDNN_DATA_FLOAT;

    bool operator==(const ConvolutionOperation&) const = default;
};

/// c = a b, for each matrix.
struct MatmulOperation {
    TensorId a = 0, b = 0, c = 0;
    cudnnDataType_t compute = CUDNN_DATA_FLOAT;

    bool operator==(const MatmulOperation&) const = default;
};

/// The largest element of each window, or their mean: of those within the input (AVGPOOL_EXCLUDE_PADDING) or of the
/// whole window, those outside 0 (AVGPOOL_INCLUDE_PADDING). Each vector has a number for each spatial dimension.
struct PoolOperation {
    cudnnResampleMode_t mode = CUDNN_RESAMPLE_MAXPOOL;
    TensorId x = 0, y = 0;
    std::vector<std::int64_t> window, stride, pad_before, pad_after;
    cudnnDataType_t compute = CUDNN_DATA_FLOAT;

    bool operator==(const PoolOperation&) const = default;
};

/// "max pool", "average pool", "average pool with padding".
std::string_view pool_name(cudnnResampleMode_t mode);

/// y = (x - mean) / sqrt(variance + epsilon) · scale + bias, x [N, C, ...]: LAYER_NORM by the mean and the (biased)
/// variance of each of the N, INSTANCE_NORM of each of the N · C; RMS_NORM as LAYER_NORM with 0 for the mean. Scale and
/// bias are [1, C, 1...], epsilon is one number.
struct NormOperation {
    cudnnBackendNormMode_t mode = CUDNN_LAYER_NORM;
    TensorId x = 0, scale = 0;
    std::optional<TensorId> bias;
    TensorId epsilon = 0, y = 0;

    bool operator==(const NormOperation&) const = default;
};

/// "layer norm", "RMS norm", "instance norm".
std::string_view norm_name(cudnnBackendNormMode_t mode);

/// A function of one element or two. What is not of its mode is ignored.
struct PointwiseFunction {
    cudnnPointwiseMode_t mode = CUDNN_POINTWISE_IDENTITY;
    /// RELU_FWD: x in [lower, upper], lower + slope · (x - lower) below.
    float lower = 0, upper = std::numeric_limits<float>::infinity(), slope = 0;
    float alpha = 1;  ///< ELU_FWD
    float beta = 1;   ///< SOFTPLUS_FWD, SWISH_FWD

    bool operator==(const PointwiseFunction&) const = default;

    static PointwiseFunction of(cudnnPointwiseMode_t mode) { return {.mode = mode}; }
    static PointwiseFunction relu() { return of(CUDNN_POINTWISE_RELU_FWD); }
    static PointwiseFunction clip(float lower, float upper) {
        return {.mode = CUDNN_POINTWISE_RELU_FWD, .lower = lower, .upper = upper};
    }
    static PointwiseFunction leaky_relu(float slope) { return {.mode = CUDNN_POINTWISE_RELU_FWD, .slope = slope}; }
    static PointwiseFunction elu(float alpha) { return {.mode = CUDNN_POINTWISE_ELU_FWD, .alpha = alpha}; }
    static PointwiseFunction softplus(float beta) { return {.mode = CUDNN_POINTWISE_SOFTPLUS_FWD, .beta = beta}; }
    static PointwiseFunction swish() { return of(CUDNN_POINTWISE_SWISH_FWD); }
    static PointwiseFunction sigmoid() { return of(CUDNN_POINTWISE_SIGMOID_FWD); }
    static PointwiseFunction tanh() { return of(CUDNN_POINTWISE_TANH_FWD); }
    static PointwiseFunction gelu() { return of(CUDNN_POINTWISE_GELU_FWD); }
    static PointwiseFunction gelu_tanh() { return of(CUDNN_POINTWISE_GELU_APPROX_TANH_FWD); }
};

/// "relu", "clip[0, 6]", "elu(0.5)"; "pointwise 20" for modes without a name here.
std::string text_of(const PointwiseFunction& function);

/// y = f(x) or f(x, b); b broadcasts along dimensions in which it has one element.
struct PointwiseOperation {
    PointwiseFunction function;
    TensorId x = 0;
    std::optional<TensorId> b;
    TensorId y = 0;
    cudnnDataType_t compute = CUDNN_DATA_FLOAT;

    bool operator==(const PointwiseOperation&) const = default;
};

using Operation = std::variant<ConvolutionOperation, MatmulOperation, PoolOperation, NormOperation, PointwiseOperation>;

struct GraphSpec {
    std::vector<TensorSpec> tensors;
    /// In the order in which cuDNN is given them, each after those whose results it takes.
    std::vector<Operation> operations;

    bool operator==(const GraphSpec&) const = default;
    /// nullptr where there is none of that id.
    const TensorSpec* tensor(TensorId id) const;
};

/// One line that says all of it, and the same for equal graphs alone: part of cache keys.
std::string text_of(const GraphSpec& spec);

}  // namespace seq::cuda
