#include "kernels/cuda/cudnn/operation_graph.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/cuda/cudnn/stored_plan.hpp"
#include "tests/cuda/fake_cudnn.hpp"

namespace seq::tests {
namespace {

using namespace cuda;

GraphSpec function_spec(const PointwiseFunction& function) {
    const std::vector<std::int64_t> sizes{2, 8, 3, 4};
    GraphSpec spec;
    spec.tensors = {{1, CUDNN_DATA_HALF, sizes, channels_last_strides(sizes)},
                    {2, CUDNN_DATA_HALF, sizes, channels_last_strides(sizes)}};
    spec.operations = {PointwiseOperation{function, 1, std::nullopt, 2}};
    return spec;
}

/// The first descriptor of a type that a graph of the spec has, as it was told to cuDNN.
const FakeDescriptor& first_of(const FakeCudnn& fake, cudnnBackendDescriptorType_t type) {
    for (const FakeDescriptor* descriptor : fake.alive) {
        if (descriptor->type == type) return *descriptor;
    }
    throw std::logic_error("there is no such descriptor");
}

TEST_CASE("statuses belong to a class by their thousand, and say what was being done") {
    CHECK(class_of(CUDNN_STATUS_SUCCESS) == StatusClass::success);
    CHECK(class_of(CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED) == StatusClass::environment);
    CHECK(class_of(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH) == StatusClass::misuse);
    CHECK(class_of(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT) == StatusClass::unsupported);
    CHECK(class_of(CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED) == StatusClass::internal);
    CHECK(class_of(CUDNN_STATUS_EXECUTION_FAILED_CUDART) == StatusClass::execution);

    FakeCudnn fake;
    fake.error_text =
        "{\"engineId\":4}\nWarning: CUDNN_STATUS_A; Reason: the cause\nWarning: CUDNN_STATUS_A; Reason: "
        "caller()\n\n{\"engineId\":5}\nWarning: CUDNN_STATUS_A; Reason: the cause\n\nError: "
        "CUDNN_STATUS_B; Reason:   another\n";
    const CudnnError error(fake.table, CUDNN_STATUS_NOT_SUPPORTED, "trying");
    CHECK(std::string(error.what()) ==
          "trying: CUDNN_STATUS_NOT_SUPPORTED (3000): CUDNN_STATUS_A; Reason: the cause; "
          "CUDNN_STATUS_B; Reason: another");
    CHECK(error.is_refusal());
    CHECK_FALSE(CudnnError(fake.table, CUDNN_STATUS_BAD_PARAM, "trying").is_refusal());
    CHECK_FALSE(CudnnError(fake.table, CUDNN_STATUS_EXECUTION_FAILED, "trying").is_refusal());
}

TEST_CASE("tensors are told with their strides and an alignment of 16") {
    FakeCudnn fake;
    const OperationGraph graph(fake.table, function_spec(PointwiseFunction::relu()));
    const FakeDescriptor& tensor = first_of(fake, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    CHECK(tensor.finalized);
    CHECK(tensor.get<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT) == 16);
    CHECK(tensor.get<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE) == CUDNN_DATA_HALF);
    CHECK(tensor.attributes.at(CUDNN_ATTR_TENSOR_STRIDES).count == 4);
    CHECK(tensor.get<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES) == 96);
    CHECK_FALSE(tensor.get<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL));
}

/// Two numbers of an attribute.
std::vector<std::int64_t> pair_of(const FakeDescriptor& descriptor, cudnnBackendAttributeName_t name) {
    const FakeAttribute& attribute = descriptor.attributes.at(name);
    REQUIRE(attribute.count == 2);
    std::vector<std::int64_t> numbers(2);
    std::memcpy(numbers.data(), attribute.bytes.data(), attribute.bytes.size());
    return numbers;
}

TEST_CASE("windows are told dimension by dimension, and transposed ones from the result's side") {
    GraphSpec spec = function_spec({});
    spec.tensors.push_back({7, CUDNN_DATA_HALF, {8, 8, 1, 2}, channels_last_strides({8, 8, 1, 2})});
    for (const bool transposed : {false, true}) {
        FakeCudnn fake;
        spec.operations = {ConvolutionOperation{transposed, 1, 7, 2, {1, 2}, {3, 4}, {5, 6}, {7, 8}}};
        const OperationGraph graph(fake.table, spec);
        const FakeDescriptor& window = first_of(fake, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
        using Pair = std::vector<std::int64_t>;
        CHECK(pair_of(window, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS) == Pair{1, 2});
        CHECK(pair_of(window, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS) == Pair{3, 4});
        CHECK(pair_of(window, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES) == Pair{5, 6});
        CHECK(pair_of(window, CUDNN_ATTR_CONVOLUTION_DILATIONS) == Pair{7, 8});
        CHECK(window.get<cudnnDataType_t>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE) == CUDNN_DATA_FLOAT);
        CHECK(window.get<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) == CUDNN_CROSS_CORRELATION);
        const FakeDescriptor& operation =
            first_of(fake, transposed ? CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR
                                      : CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
        const auto id = [&](cudnnBackendAttributeName_t name) {
            return operation.part(name).get<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
        };
        CHECK(id(transposed ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY
                            : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X) == 1);
        CHECK(id(transposed ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W
                            : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W) == 7);
        CHECK(id(transposed ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX
                            : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y) == 2);
    }
}

TEST_CASE("pools are told their windows, that a NaN wins, and what lies outside") {
    GraphSpec spec = function_spec({});
    spec.tensors[1] = {2, CUDNN_DATA_HALF, {2, 8, 2, 3}, channels_last_strides({2, 8, 2, 3})};
    for (const auto mode :
         {CUDNN_RESAMPLE_MAXPOOL, CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING, CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING}) {
        FakeCudnn fake;
        spec.operations = {PoolOperation{mode, 1, 2, {4, 5}, {2, 1}, {1, 2}, {2, 1}}};
        const OperationGraph graph(fake.table, spec);
        const FakeDescriptor& window = first_of(fake, CUDNN_BACKEND_RESAMPLE_DESCRIPTOR);
        using Pair = std::vector<std::int64_t>;
        CHECK(pair_of(window, CUDNN_ATTR_RESAMPLE_WINDOW_DIMS) == Pair{4, 5});
        CHECK(pair_of(window, CUDNN_ATTR_RESAMPLE_STRIDES) == Pair{2, 1});
        CHECK(pair_of(window, CUDNN_ATTR_RESAMPLE_PRE_PADDINGS) == Pair{1, 2});
        CHECK(pair_of(window, CUDNN_ATTR_RESAMPLE_POST_PADDINGS) == Pair{2, 1});
        CHECK(window.get<std::int64_t>(CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS) == 2);
        CHECK(window.get<cudnnResampleMode_t>(CUDNN_ATTR_RESAMPLE_MODE) == mode);
        CHECK(window.get<cudnnDataType_t>(CUDNN_ATTR_RESAMPLE_COMP_TYPE) == CUDNN_DATA_FLOAT);
        CHECK(window.get<cudnnNanPropagation_t>(CUDNN_ATTR_RESAMPLE_NAN_PROPAGATION) == CUDNN_PROPAGATE_NAN);
        CHECK(window.get<cudnnPaddingMode_t>(CUDNN_ATTR_RESAMPLE_PADDING_MODE) ==
              (mode == CUDNN_RESAMPLE_MAXPOOL ? CUDNN_NEG_INF_PAD : CUDNN_ZERO_PAD));
        const FakeDescriptor& operation = first_of(fake, CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR);
        const auto id = [&](cudnnBackendAttributeName_t name) {
            return operation.part(name).get<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
        };
        CHECK(id(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC) == 1);
        CHECK(id(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC) == 2);
        CHECK_FALSE(operation.has(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC));
    }
}

TEST_CASE("norms are told their phase, and as little of a bias as they have") {
    GraphSpec spec = function_spec({});
    for (const TensorId id : {3, 4}) spec.tensors.push_back({id, CUDNN_DATA_FLOAT, {1, 8, 1, 1}, {8, 1, 8, 8}});
    spec.tensors.push_back({5, CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}, false, 0.5f});
    for (const auto mode : {CUDNN_LAYER_NORM, CUDNN_RMS_NORM, CUDNN_INSTANCE_NORM}) {
        for (const bool biased : {true, false}) {
            FakeCudnn fake;
            NormOperation operation{mode, 1, 3, std::nullopt, 5, 2};
            if (biased) operation.bias = 4;
            spec.operations = {operation};
            const OperationGraph graph(fake.table, spec);
            const FakeDescriptor& norm = first_of(fake, CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR);
            CHECK(norm.get<cudnnBackendNormMode_t>(CUDNN_ATTR_OPERATION_NORM_FWD_MODE) == mode);
            CHECK(norm.get<cudnnBackendNormFwdPhase_t>(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE) ==
                  CUDNN_NORM_FWD_INFERENCE);
            const auto id = [&](cudnnBackendAttributeName_t name) {
                return norm.part(name).get<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
            };
            CHECK(id(CUDNN_ATTR_OPERATION_NORM_FWD_XDESC) == 1);
            CHECK(id(CUDNN_ATTR_OPERATION_NORM_FWD_YDESC) == 2);
            CHECK(id(CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC) == 3);
            CHECK(norm.has(CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC) == biased);
            if (biased) CHECK(id(CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC) == 4);
            CHECK(norm.part(CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC).get<bool>(CUDNN_ATTR_TENSOR_IS_BY_VALUE));
            CHECK_FALSE(norm.has(CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC));
            CHECK_FALSE(norm.has(CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC));
        }
    }
}

TEST_CASE("functions are told what is not their default") {
    const auto told = [](const PointwiseFunction& function, cudnnBackendAttributeName_t name) {
        FakeCudnn fake;
        const OperationGraph graph(fake.table, function_spec(function));
        const FakeDescriptor& descriptor = first_of(fake, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
        return descriptor.has(name) ? descriptor.get<double>(name) : std::nan("");
    };
    CHECK(std::isnan(told(PointwiseFunction::relu(), CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP)));
    CHECK(std::isnan(told(PointwiseFunction::relu(), CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP)));
    CHECK(told(PointwiseFunction::clip(-1, 6), CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP) == -1);
    CHECK(told(PointwiseFunction::clip(-1, 6), CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP) == 6);
    CHECK(told(PointwiseFunction::leaky_relu(0.5f), CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE) == 0.5);
    CHECK(told(PointwiseFunction::elu(0.25f), CUDNN_ATTR_POINTWISE_ELU_ALPHA) == 0.25);
    CHECK(told(PointwiseFunction::softplus(2), CUDNN_ATTR_POINTWISE_SOFTPLUS_BETA) == 2);
    CHECK(told(PointwiseFunction::swish(), CUDNN_ATTR_POINTWISE_SWISH_BETA) == 1);
}

TEST_CASE("an operation on a tensor that is not there is a mistake of ours and leaves nothing") {
    FakeCudnn fake;
    GraphSpec spec = function_spec(PointwiseFunction::relu());
    spec.tensors.pop_back();
    CHECK_THROWS_AS(OperationGraph(fake.table, spec), std::logic_error);
    CHECK(fake.alive.empty());
}

TEST_CASE("keys differ wherever what they stand for does") {
    const GraphSpec spec = function_spec(PointwiseFunction::relu());
    const PlanOrigin origin{91900, 13000, "a GPU"};
    const std::string engine = "engine 3, knobs 2=1";
    const std::string key = plan_key(spec, engine, MathMode::f16, origin);
    CHECK(key ==
          "t1 f16 [2, 8, 3, 4] strides [96, 1, 32, 8]; t2 f16 [2, 8, 3, 4] strides [96, 1, 32, 8]; relu(t1) -> "
          "t2 f32 | engine 3, knobs 2=1 | f16 | a GPU | cuDNN 91900 | CUDA 13000");
    CHECK(key != plan_key(function_spec(PointwiseFunction::clip(0, 6)), engine, MathMode::f16, origin));
    const auto pool_key = [&](const PoolOperation& pool) {
        GraphSpec pools = spec;
        pools.operations = {pool};
        return plan_key(pools, engine, MathMode::f16, origin);
    };
    const PoolOperation pool{CUDNN_RESAMPLE_MAXPOOL, 1, 2, {3, 2}, {2, 1}, {1, 0}, {0, 1}};
    CHECK(pool_key(pool).find("max pool(t1) -> t2 window [3, 2] before [1, 0] after [0, 1] stride [2, 1] f32 |") !=
          std::string::npos);
    PoolOperation others[] = {pool, pool, pool, pool, pool, pool};
    others[0].mode = CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING;
    others[1].mode = CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING;
    others[2].window = {2, 3};
    others[3].stride = {1, 2};
    others[4].pad_before = {0, 1};
    others[5].pad_after = {1, 0};
    for (const PoolOperation& other : others) CHECK(pool_key(other) != pool_key(pool));
    const auto norm_text = [&](const NormOperation& norm) {
        GraphSpec norms = spec;
        norms.operations = {norm};
        const std::string text = text_of(norms);
        return text.substr(text.rfind("; ") + 2);
    };
    CHECK(norm_text({CUDNN_LAYER_NORM, 1, 3, 4, 5, 2}) == "layer norm(t1, scale t3, bias t4, epsilon t5) -> t2");
    CHECK(norm_text({CUDNN_RMS_NORM, 1, 3, {}, 5, 2}) == "RMS norm(t1, scale t3, epsilon t5) -> t2");
    CHECK(norm_text({CUDNN_INSTANCE_NORM, 1, 3, 4, 5, 2}) == "instance norm(t1, scale t3, bias t4, epsilon t5) -> t2");
    CHECK(key != plan_key(spec, "engine 3", MathMode::f16, origin));
    CHECK(key != plan_key(spec, engine, MathMode::bf16, origin));
    CHECK(key != plan_key(spec, engine, MathMode::f16, {91900, 13000, "another GPU"}));
    CHECK(key != plan_key(spec, engine, MathMode::f16, {91901, 13000, "a GPU"}));
    CHECK(key != plan_key(spec, engine, MathMode::f16, {91900, 13010, "a GPU"}));
}

TEST_CASE("stored plans are read back, and are stale elsewhere") {
    const StoredPlan stored{{91900, 13000, "a GPU"}, "engine 3, knobs 2=1", 4096, "{\"a\": \"b\nc\"}"};
    const std::string bytes = to_bytes(stored);
    CHECK(parse_stored_plan(bytes) == stored);
    for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(parse_stored_plan(bytes.substr(0, size)));
    CHECK_FALSE(parse_stored_plan(bytes + " "));
    CHECK(stale_because(stored, stored.origin).empty());
    CHECK(stale_because(stored, {91901, 13000, "a GPU"}) == "it was made by cuDNN 91900, and here is 91901");
    CHECK(stale_because(stored, {91900, 13010, "a GPU"}) == "it was made with CUDA 13000, and here is 13010");
    CHECK(stale_because(stored, {91900, 13000, "another"}) == "it was made for a GPU, and here is another");
}

}  // namespace
}  // namespace seq::tests
