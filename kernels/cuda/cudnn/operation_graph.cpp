#include "kernels/cuda/cudnn/operation_graph.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace seq::cuda {
namespace {

/// Whether cuDNN has to be told that a NaN stays one.
bool compares(cudnnPointwiseMode_t mode) {
    return mode == CUDNN_POINTWISE_RELU_FWD || mode == CUDNN_POINTWISE_MIN || mode == CUDNN_POINTWISE_MAX;
}

}  // namespace

OperationGraph::OperationGraph(const Cudnn& cudnn, GraphSpec spec, cudnnHandle_t handle)
    : cudnn_(cudnn), spec_(std::move(spec)), graph_(cudnn, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR) {
    for (const TensorSpec& tensor : spec_.tensors) add_tensor(tensor);
    std::vector<const Descriptor*> operations;
    for (const Operation& operation : spec_.operations) {
        Descriptor& descriptor =
            std::visit([&](const auto& op) -> Descriptor& { return add_operation(op); }, operation);
        descriptor.finalize();
        operations.push_back(&descriptor);
    }
    graph_.set_all(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations);
    if (handle != nullptr) graph_.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
    graph_.finalize();
}

Descriptor& OperationGraph::add(cudnnBackendDescriptorType_t type) { return parts_.emplace_back(cudnn_, type); }

const Descriptor& OperationGraph::tensor(TensorId id) const {
    const TensorSpec* found = spec_.tensor(id);
    if (found == nullptr) throw std::logic_error(fmt::format("the operation graph has no tensor {}", id));
    return tensors_[static_cast<std::size_t>(found - spec_.tensors.data())];
}

void OperationGraph::add_tensor(const TensorSpec& tensor) {
    Descriptor& descriptor = tensors_.emplace_back(cudnn_, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    descriptor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, tensor.id);
    descriptor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, tensor.type);
    descriptor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, tensor.sizes);
    descriptor.set(CUDNN_ATTR_TENSOR_STRIDES, tensor.strides);
    descriptor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, tensor_alignment);
    descriptor.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, tensor.is_virtual);
    if (tensor.constant) descriptor.set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, true);
    descriptor.finalize();
}

const Descriptor& OperationGraph::add_window(const ConvolutionOperation& operation) {
    Descriptor& window = add(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    window.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, operation.compute);
    window.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
    window.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, static_cast<std::int64_t>(operation.stride.size()));
    window.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, operation.pad_before);
    window.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, operation.pad_after);
    window.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, operation.stride);
    window.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, operation.dilation);
    window.finalize();
    return window;
}

Descriptor& OperationGraph::add_operation(const ConvolutionOperation& operation) {
    const Descriptor& window = add_window(operation);
    constexpr float alpha = 1, beta = 0;
    if (operation.transposed) {
        Descriptor& descriptor = add(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
        descriptor.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, window);
        descriptor.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, tensor(operation.x));
        descriptor.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, tensor(operation.weight));
        descriptor.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, tensor(operation.y));
        descriptor.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, alpha);
        descriptor.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, beta);
        return descriptor;
    }
    Descriptor& descriptor = add(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    descriptor.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, window);
    descriptor.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, tensor(operation.x));
    descriptor.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, tensor(operation.weight));
    descriptor.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, tensor(operation.y));
    descriptor.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, alpha);
    descriptor.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, beta);
    return descriptor;
}

Descriptor& OperationGraph::add_operation(const MatmulOperation& operation) {
    Descriptor& precision = add(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    precision.set(CUDNN_ATTR_MATMUL_COMP_TYPE, operation.compute);
    precision.finalize();
    Descriptor& descriptor = add(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    descriptor.set(CUDNN_ATTR_OPERATION_MATMUL_DESC, precision);
    descriptor.set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, tensor(operation.a));
    descriptor.set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, tensor(operation.b));
    descriptor.set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, tensor(operation.c));
    return descriptor;
}

const Descriptor& OperationGraph::add_window(const PoolOperation& operation) {
    const bool largest = operation.mode == CUDNN_RESAMPLE_MAXPOOL;
    Descriptor& window = add(CUDNN_BACKEND_RESAMPLE_DESCRIPTOR);
    window.set(CUDNN_ATTR_RESAMPLE_MODE, operation.mode);
    window.set(CUDNN_ATTR_RESAMPLE_COMP_TYPE, operation.compute);
    window.set(CUDNN_ATTR_RESAMPLE_NAN_PROPAGATION, CUDNN_PROPAGATE_NAN);
    window.set(CUDNN_ATTR_RESAMPLE_PADDING_MODE, largest ? CUDNN_NEG_INF_PAD : CUDNN_ZERO_PAD);
    window.set(CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS, static_cast<std::int64_t>(operation.window.size()));
    window.set(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, operation.window);
    window.set(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, operation.pad_before);
    window.set(CUDNN_ATTR_RESAMPLE_POST_PADDINGS, operation.pad_after);
    window.set(CUDNN_ATTR_RESAMPLE_STRIDES, operation.stride);
    window.finalize();
    return window;
}

Descriptor& OperationGraph::add_operation(const PoolOperation& operation) {
    const Descriptor& window = add_window(operation);
    Descriptor& descriptor = add(CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR);
    descriptor.set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC, window);
    descriptor.set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC, tensor(operation.x));
    descriptor.set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC, tensor(operation.y));
    return descriptor;
}

Descriptor& OperationGraph::add_operation(const NormOperation& operation) {
    Descriptor& descriptor = add(CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR);
    descriptor.set(CUDNN_ATTR_OPERATION_NORM_FWD_MODE, operation.mode);
    descriptor.set(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE, CUDNN_NORM_FWD_INFERENCE);
    descriptor.set(CUDNN_ATTR_OPERATION_NORM_FWD_XDESC, tensor(operation.x));
    descriptor.set(CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC, tensor(operation.scale));
    if (operation.bias) descriptor.set(CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC, tensor(*operation.bias));
    descriptor.set(CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC, tensor(operation.epsilon));
    descriptor.set(CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, tensor(operation.y));
    return descriptor;
}

const Descriptor& OperationGraph::add_function(const PointwiseOperation& operation) {
    const PointwiseFunction& function = operation.function;
    Descriptor& descriptor = add(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    descriptor.set(CUDNN_ATTR_POINTWISE_MODE, function.mode);
    descriptor.set(CUDNN_ATTR_POINTWISE_MATH_PREC, operation.compute);
    if (compares(function.mode)) descriptor.set(CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, CUDNN_PROPAGATE_NAN);
    if (function.mode == CUDNN_POINTWISE_RELU_FWD) {
        // What is set, to its default even, makes cuDNN look for engines that can clip.
        if (function.lower != 0) descriptor.set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, double{function.lower});
        if (std::isfinite(function.upper)) descriptor.set(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, double{function.upper});
        if (function.slope != 0) descriptor.set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, double{function.slope});
    } else if (function.mode == CUDNN_POINTWISE_ELU_FWD) {
        descriptor.set(CUDNN_ATTR_POINTWISE_ELU_ALPHA, double{function.alpha});
    } else if (function.mode == CUDNN_POINTWISE_SOFTPLUS_FWD) {
        descriptor.set(CUDNN_ATTR_POINTWISE_SOFTPLUS_BETA, double{function.beta});
    } else if (function.mode == CUDNN_POINTWISE_SWISH_FWD) {
        descriptor.set(CUDNN_ATTR_POINTWISE_SWISH_BETA, double{function.beta});
    }
    descriptor.finalize();
    return descriptor;
}

Descriptor& OperationGraph::add_operation(const PointwiseOperation& operation) {
    const Descriptor& function = add_function(operation);
    Descriptor& descriptor = add(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    descriptor.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function);
    descriptor.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, tensor(operation.x));
    if (operation.b) descriptor.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, tensor(*operation.b));
    descriptor.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, tensor(operation.y));
    return descriptor;
}

}  // namespace seq::cuda
