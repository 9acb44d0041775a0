#include "tests/cuda/fake_cudnn.hpp"

namespace seq::tests {
namespace {

using namespace cuda;

class SpecReader {
   public:
    explicit SpecReader(const FakeDescriptor& graph) {
        for (const FakeDescriptor* operation : graph.parts(CUDNN_ATTR_OPERATIONGRAPH_OPS)) add(*operation);
    }
    GraphSpec spec;

   private:
    TensorId tensor(const FakeDescriptor& operation, cudnnBackendAttributeName_t name) {
        const FakeDescriptor& told = operation.part(name);
        const auto id = told.get<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
        if (spec.tensor(id) == nullptr) {
            spec.tensors.push_back({id, told.get<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE),
                                    told.all<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS),
                                    told.all<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES),
                                    told.get<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL)});
        }
        return id;
    }

    void add(const FakeDescriptor& told) {
        switch (told.type) {
            case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
                return add_convolution(false, told.part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC),
                                       tensor(told, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X),
                                       tensor(told, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W),
                                       tensor(told, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y));
            case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
                return add_convolution(true, told.part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC),
                                       tensor(told, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY),
                                       tensor(told, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W),
                                       tensor(told, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX));
            case CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR:
                spec.operations.emplace_back(MatmulOperation{tensor(told, CUDNN_ATTR_OPERATION_MATMUL_ADESC),
                                                             tensor(told, CUDNN_ATTR_OPERATION_MATMUL_BDESC),
                                                             tensor(told, CUDNN_ATTR_OPERATION_MATMUL_CDESC)});
                return;
            case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR: return add_pool(told);
            case CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR: return add_norm(told);
            default: add_pointwise(told);
        }
    }

    void add_convolution(bool transposed, const FakeDescriptor& window, TensorId x, TensorId w, TensorId y) {
        const auto numbers = [&](cudnnBackendAttributeName_t name) { return window.all<std::int64_t>(name); };
        spec.operations.emplace_back(ConvolutionOperation{
            transposed, x, w, y, numbers(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS),
            numbers(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS), numbers(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES),
            numbers(CUDNN_ATTR_CONVOLUTION_DILATIONS)});
    }

    void add_pool(const FakeDescriptor& told) {
        const FakeDescriptor& window = told.part(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC);
        const auto numbers = [&](cudnnBackendAttributeName_t name) { return window.all<std::int64_t>(name); };
        spec.operations.emplace_back(
            PoolOperation{window.get<cudnnResampleMode_t>(CUDNN_ATTR_RESAMPLE_MODE),
                          tensor(told, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC),
                          tensor(told, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC),
                          numbers(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS), numbers(CUDNN_ATTR_RESAMPLE_STRIDES),
                          numbers(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS), numbers(CUDNN_ATTR_RESAMPLE_POST_PADDINGS)});
    }

    void add_norm(const FakeDescriptor& told) {
        NormOperation operation{told.get<cudnnBackendNormMode_t>(CUDNN_ATTR_OPERATION_NORM_FWD_MODE),
                                tensor(told, CUDNN_ATTR_OPERATION_NORM_FWD_XDESC),
                                tensor(told, CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC)};
        if (told.has(CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC))
            operation.bias = tensor(told, CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC);
        operation.epsilon = tensor(told, CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC);
        operation.y = tensor(told, CUDNN_ATTR_OPERATION_NORM_FWD_YDESC);
        spec.operations.emplace_back(operation);
    }

    void add_pointwise(const FakeDescriptor& told) {
        PointwiseOperation operation{function(told.part(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR)),
                                     tensor(told, CUDNN_ATTR_OPERATION_POINTWISE_XDESC), std::nullopt, 0};
        if (told.has(CUDNN_ATTR_OPERATION_POINTWISE_BDESC))
            operation.b = tensor(told, CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
        operation.y = tensor(told, CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
        spec.operations.emplace_back(operation);
    }

    static PointwiseFunction function(const FakeDescriptor& told) {
        PointwiseFunction function = PointwiseFunction::of(told.get<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE));
        const auto read = [&](cudnnBackendAttributeName_t name, float& number) {
            if (told.has(name)) number = static_cast<float>(told.get<double>(name));
        };
        read(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, function.lower);
        read(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, function.upper);
        read(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, function.slope);
        read(CUDNN_ATTR_POINTWISE_ELU_ALPHA, function.alpha);
        read(CUDNN_ATTR_POINTWISE_SOFTPLUS_BETA, function.beta);
        read(CUDNN_ATTR_POINTWISE_SWISH_BETA, function.beta);
        return function;
    }
};

}  // namespace

GraphSpec spec_of(const FakeDescriptor& graph) { return SpecReader(graph).spec; }

}  // namespace seq::tests
