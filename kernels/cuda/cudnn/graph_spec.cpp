#include "kernels/cuda/cudnn/graph_spec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace seq::cuda {
namespace {

std::string name_of(cudnnDataType_t type) {
    switch (type) {
        case CUDNN_DATA_FLOAT: return "f32";
        case CUDNN_DATA_HALF: return "f16";
        case CUDNN_DATA_BFLOAT16: return "bf16";
        default: return fmt::format("type{}", static_cast<int>(type));
    }
}

std::string relu_text(const PointwiseFunction& function) {
    std::string text = "relu";
    if (function.lower != 0 || std::isfinite(function.upper))
        text = fmt::format("clip[{}, {}]", function.lower, function.upper);
    return function.slope == 0 ? text : fmt::format("{} slope {}", text, function.slope);
}

struct TextOfOperation {
    std::string operator()(const ConvolutionOperation& op) const {
        return fmt::format("{}(t{}, t{}) -> t{} before {} after {} stride {} dilation {} {}",
                           op.transposed ? "transposed convolution" : "convolution", op.x, op.weight, op.y,
                           op.pad_before, op.pad_after, op.stride, op.dilation, name_of(op.compute));
    }
    std::string operator()(const MatmulOperation& op) const {
        return fmt::format("matmul(t{}, t{}) -> t{} {}", op.a, op.b, op.c, name_of(op.compute));
    }
    std::string operator()(const PoolOperation& op) const {
        return fmt::format("{}(t{}) -> t{} window {} before {} after {} stride {} {}", pool_name(op.mode), op.x, op.y,
                           op.window, op.pad_before, op.pad_after, op.stride, name_of(op.compute));
    }
    std::string operator()(const NormOperation& op) const {
        const std::string bias = op.bias ? fmt::format(", bias t{}", *op.bias) : "";
        return fmt::format("{}(t{}, scale t{}{}, epsilon t{}) -> t{}", norm_name(op.mode), op.x, op.scale, bias,
                           op.epsilon, op.y);
    }
    std::string operator()(const PointwiseOperation& op) const {
        const std::string second = op.b ? fmt::format(", t{}", *op.b) : "";
        return fmt::format("{}(t{}{}) -> t{} {}", text_of(op.function), op.x, second, op.y, name_of(op.compute));
    }
};

}  // namespace

std::optional<cudnnDataType_t> cudnn_type(DType dtype) {
    switch (dtype) {
        case DType::f32: return CUDNN_DATA_FLOAT;
        case DType::f16: return CUDNN_DATA_HALF;
        case DType::bf16: return CUDNN_DATA_BFLOAT16;
        case DType::f64: return CUDNN_DATA_DOUBLE;
        case DType::i64: return CUDNN_DATA_INT64;
        case DType::i32: return CUDNN_DATA_INT32;
        case DType::i8: return CUDNN_DATA_INT8;
        case DType::u8: return CUDNN_DATA_UINT8;
        case DType::boolean: return CUDNN_DATA_BOOLEAN;
    }
    return std::nullopt;
}

std::vector<std::int64_t> channels_last_strides(const std::vector<std::int64_t>& sizes) {
    std::vector<std::int64_t> strides(sizes.size(), 1);
    std::int64_t next = sizes[1];
    for (std::size_t i = sizes.size(); i-- > 2;) {
        strides[i] = next;
        next *= sizes[i];
    }
    strides[0] = next;
    return strides;
}

std::string_view pool_name(cudnnResampleMode_t mode) {
    switch (mode) {
        case CUDNN_RESAMPLE_MAXPOOL: return "max pool";
        case CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING: return "average pool";
        case CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING: return "average pool with padding";
        default: return "resampling";
    }
}

std::string_view norm_name(cudnnBackendNormMode_t mode) {
    switch (mode) {
        case CUDNN_LAYER_NORM: return "layer norm";
        case CUDNN_RMS_NORM: return "RMS norm";
        case CUDNN_INSTANCE_NORM: return "instance norm";
        default: return "norm";
    }
}

std::string text_of(const PointwiseFunction& function) {
    switch (function.mode) {
        case CUDNN_POINTWISE_IDENTITY: return "identity";
        case CUDNN_POINTWISE_ADD: return "add";
        case CUDNN_POINTWISE_SUB: return "sub";
        case CUDNN_POINTWISE_MUL: return "mul";
        case CUDNN_POINTWISE_DIV: return "div";
        case CUDNN_POINTWISE_MIN: return "min";
        case CUDNN_POINTWISE_MAX: return "max";
        case CUDNN_POINTWISE_RELU_FWD: return relu_text(function);
        case CUDNN_POINTWISE_SIGMOID_FWD: return "sigmoid";
        case CUDNN_POINTWISE_TANH_FWD: return "tanh";
        case CUDNN_POINTWISE_GELU_FWD: return "gelu";
        case CUDNN_POINTWISE_GELU_APPROX_TANH_FWD: return "gelu tanh";
        case CUDNN_POINTWISE_ELU_FWD: return fmt::format("elu({})", function.alpha);
        case CUDNN_POINTWISE_SWISH_FWD: return fmt::format("swish({})", function.beta);
        case CUDNN_POINTWISE_SOFTPLUS_FWD: return fmt::format("softplus({})", function.beta);
        default: return fmt::format("pointwise {}", static_cast<int>(function.mode));
    }
}

const TensorSpec* GraphSpec::tensor(TensorId id) const {
    const auto found =
        std::find_if(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.id == id; });
    return found == tensors.end() ? nullptr : &*found;
}

std::string text_of(const GraphSpec& spec) {
    std::string text;
    for (const TensorSpec& tensor : spec.tensors) {
        text += fmt::format("t{} {} {} strides {}{}{}; ", tensor.id, name_of(tensor.type), tensor.sizes, tensor.strides,
                            tensor.is_virtual ? " virtual" : "",
                            tensor.constant ? fmt::format(" = {}", *tensor.constant) : "");
    }
    for (const Operation& operation : spec.operations) text += std::visit(TextOfOperation{}, operation) + "; ";
    if (!text.empty()) text.resize(text.size() - 2);
    return text;
}

}  // namespace seq::cuda
