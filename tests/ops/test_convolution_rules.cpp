#include <doctest/doctest.h>

#include "tests/ops/support.hpp"

namespace seq::tests {
namespace {

using ops::Conv1d;
using ops::Conv2d;
using ops::Conv3d;
using ops::ConvTranspose2d;

const Fault& only_fault(const Inference& inference) {
    REQUIRE(inference.faults.size() == 1);
    return inference.faults.front();
}

TEST_CASE("a convolution asks for its parameters in PyTorch's shapes") {
    CHECK(parameters(infer_shape(Conv2d{.in_channels = 6, .out_channels = 8, .kernel_size = {3, 5}, .groups = 2},
                                 {1, 6, 9, 9})) == "weight[8, 3, 3, 5] bias[8]");
    CHECK(parameters(infer_shape(Conv1d{.out_channels = 8, .kernel_size = 3, .bias = false}, {1, 6, 9})) ==
          "weight[8, 6, 3]");
    CHECK(parameters(infer_shape(ConvTranspose2d{.in_channels = 6, .out_channels = 8, .kernel_size = 3, .groups = 2},
                                 {1, 6, 9, 9})) == "weight[6, 4, 3, 3] bias[8]");
}

TEST_CASE("parameters have the input's float type") {
    const Inference inference =
        infer_types(Conv1d{.out_channels = 2, .kernel_size = 1}, std::vector{TensorType{DType::f64, {1, 1, 3}, false}});
    CHECK(inference.parameters.at(0).type.dtype == DType::f64);
    CHECK(inference.outputs.at(0).dtype == DType::f64);
}

TEST_CASE("in_channels is inferred and stays") {
    const Inference inference = infer_shape(Conv2d{.out_channels = 8, .kernel_size = 3}, {"N", 6, 9, 9});
    CHECK(codes(inference) == "");
    CHECK(inference.op.as<Conv2d>()->in_channels == 6);
    CHECK(codes(infer_shape(Conv2d{.out_channels = 8, .kernel_size = 3}, {"N", "C", 9, 9})) == "shape/in-channels");
}

TEST_CASE("a wrong in_channels is one fault, and the output is as declared") {
    const Inference inference =
        infer_shape(Conv2d{.in_channels = 3, .out_channels = 8, .kernel_size = 3}, {"N", 16, 9, 9});
    const Fault& fault = only_fault(inference);
    CHECK(fault.code == "shape/in-channels");
    CHECK(fault.message == "takes 3 channels, but gets 16");
    CHECK(fault.field == "in_channels");
    CHECK(fault.expected == "3");
    CHECK(fault.actual == "16");
    CHECK(fault.dim == 1);
    REQUIRE(fault.fixes.size() == 1);
    CHECK(fault.fixes[0].fields == std::vector<std::pair<std::string, FieldValue>>{{"in_channels", std::int64_t{16}}});
    CHECK(output_shape(inference) == "[N, 8, 7, 7]");
}

TEST_CASE("one channel is in the singular") {
    const Inference inference =
        infer_shape(Conv2d{.in_channels = 1, .out_channels = 8, .kernel_size = 3}, {"N", 3, 9, 9});
    CHECK(only_fault(inference).message == "takes 1 channel, but gets 3");
}

TEST_CASE("the fix of a depthwise convolution keeps it depthwise") {
    const Inference inference =
        infer_shape(Conv2d{.in_channels = 4, .out_channels = 4, .kernel_size = 3, .groups = 4}, {"N", 6, 9, 9});
    using Fields = std::vector<std::pair<std::string, FieldValue>>;
    const std::int64_t six = 6;
    CHECK(only_fault(inference).fixes.at(0).fields ==
          Fields{{"in_channels", six}, {"out_channels", six}, {"groups", six}});
}

TEST_CASE("groups divide both numbers of channels") {
    const auto check = [](std::int64_t in, std::int64_t out, std::int64_t groups) {
        return codes(infer_shape(Conv2d{.in_channels = in, .out_channels = out, .kernel_size = 1, .groups = groups},
                                 {1, in, 3, 3}));
    };
    CHECK(check(6, 9, 3) == "");
    CHECK(check(6, 9, 2) == "shape/groups");
    CHECK(check(6, 8, 4) == "shape/groups");
    CHECK(check(5, 7, 3) == "shape/groups");
    const Inference wrong_in =
        infer_shape(Conv2d{.in_channels = 6, .out_channels = 8, .kernel_size = 1, .groups = 4}, {1, 6, 3, 3});
    CHECK(only_fault(wrong_in).message == "splits 6 input channels into 4 groups, which leaves 2 over");
    CHECK(only_fault(wrong_in).fixes.at(0).fields.at(0).second == FieldValue(std::int64_t{2}));
    CHECK(wrong_in.outputs[0].shape[1] == Dim(8));
    const Inference wrong_out =
        infer_shape(Conv2d{.in_channels = 8, .out_channels = 6, .kernel_size = 1, .groups = 4}, {1, 8, 3, 3});
    CHECK(wrong_out.outputs[0].shape[1].is_unknown());
}

TEST_CASE("a rank fault comes alone, unless the sibling would have one too") {
    register_builtin_ops();
    const Conv3d conv{.in_channels = 8, .out_channels = 16, .kernel_size = 3, .padding = 1};
    CHECK(codes(infer_shape(conv, {"N", 8, 16, 16})) == "shape/rank");
    CHECK(codes(infer_shape(conv, {"N", 9, 16, 16})) == "shape/rank, shape/in-channels");
    CHECK(codes(infer_shape(Conv2d{.out_channels = 1, .kernel_size = 3}, {4, 4})) == "shape/rank");
    CHECK(codes(infer_shape(ConvTranspose2d{.out_channels = 1, .kernel_size = 3}, {4, 4, 4})) == "shape/rank");
}

TEST_CASE("after a rank fault the sibling's output goes on") {
    register_builtin_ops();
    const Inference inference =
        infer_shape(Conv3d{.in_channels = 8, .out_channels = 16, .kernel_size = 3, .padding = 1}, {"N", 8, 16, 16});
    CHECK(codes(inference) == "shape/rank");
    CHECK(output_shape(inference) == "[N, 16, 16, 16]");
    CHECK(only_fault(inference).fixes.at(0).type == "Conv2d");
}

TEST_CASE("an input without a batch dimension is one fault") {
    register_builtin_ops();
    const Inference inference =
        infer_shape(Conv2d{.in_channels = 3, .out_channels = 16, .kernel_size = 3}, {3, 32, 32});
    CHECK(only_fault(inference).code == "shape/rank");
    REQUIRE(inference.outputs[0].shape.rank() == 4);
    CHECK(inference.outputs[0].shape[1] == Dim(16));
}

TEST_CASE("where no sibling fits the rank, what follows is still checked") {
    const Inference inference = infer_shape(Conv2d{.in_channels = 8, .out_channels = 16, .kernel_size = 3}, {"N", 8});
    CHECK(codes(inference) == "shape/rank");
    REQUIRE(inference.outputs[0].shape.rank() == 4);
    CHECK(inference.outputs[0].shape[1] == Dim(16));
    CHECK(inference.outputs[0].shape[2].is_unknown());
}

TEST_CASE("a window larger than the padded input is named with its formula") {
    const Inference inference = infer_shape(Conv2d{.out_channels = 4, .kernel_size = 7}, {"N", 3, 5, 9});
    const Fault& fault = only_fault(inference);
    CHECK(fault.code == "shape/empty");
    CHECK(fault.message == "would give an output of height -1: 5 - 7 + 1");
    CHECK(fault.dim == 2);
    CHECK(inference.outputs[0].shape[1] == Dim(4));
    CHECK(inference.outputs[0].shape[2].is_unknown());
    CHECK(inference.outputs[0].shape[3] == Dim(3));
    CHECK(codes(infer_shape(ConvTranspose2d{.out_channels = 1, .kernel_size = 1, .padding = 2}, {1, 1, 4, 5})) ==
          "shape/empty");
}

TEST_CASE("a symbol's lower bound is a condition, not a warning") {
    const Inference inference = infer_shape(Conv1d{.out_channels = 4, .kernel_size = 3}, {"N", 3, "L"});
    CHECK(codes(inference) == "");
    CHECK(output_shape(inference) == "[N, 4, L - 2]");
    CHECK(inference.conditions.size() == 1);
    const Inference bounded =
        infer_shape(Conv1d{.out_channels = 4, .kernel_size = 3}, {"N", 3, "L"}, {{"L", {1, 10, 1}}});
    CHECK(codes(bounded) == "shape/symbolic");
    CHECK(bounded.faults.at(0).severity == Severity::error);
    CHECK(codes(infer_shape(Conv1d{.out_channels = 4, .kernel_size = 3}, {"N", 3, "L"}, {{"L", {3, 10, 1}}})) == "");
}

TEST_CASE("one window too large is one fault, whatever the number of dimensions") {
    const Conv2d conv{.out_channels = 4, .kernel_size = 7};
    CHECK(codes(infer_shape(conv, {"N", 3, 5, 5})) == "shape/empty");
    CHECK(codes(infer_shape(conv, {"N", 3, "H", "H"}, {{"H", {1, 10, 1}}})) == "shape/symbolic");
    CHECK(codes(infer_shape(conv, {"N", 3, "H", "W"}, {{"H", {1, 10, 1}}, {"W", {1, 10, 1}}})) ==
          "shape/symbolic, shape/symbolic");
    const Inference never = infer_shape(conv, {"N", 3, "H", "H"}, {{"H", {1, 6, 1}}});
    CHECK(codes(never) == "shape/symbolic");
    CHECK(never.outputs[0].shape[3].is_unknown());
}

TEST_CASE("padding \"same\" goes with stride 1") {
    const Inference inference =
        infer_shape(Conv2d{.out_channels = 4, .kernel_size = {3, 5}, .stride = 2, .padding = "same"}, {"N", 3, 8, 8});
    const Fault& fault = only_fault(inference);
    CHECK(fault.code == "spec/value");
    CHECK(fault.field == "padding");
    CHECK(fault.fixes.at(0).fields.at(0).second == FieldValue(std::vector<std::int64_t>{1, 2}));
    CHECK(output_shape(inference) == "[N, 4, 4, 4]");
}

TEST_CASE("reflection adds fewer elements than there are, wrapping no more") {
    const auto check = [](const char* mode, std::int64_t size) {
        return codes(
            infer_shape(Conv1d{.out_channels = 1, .kernel_size = 1, .padding = 3, .padding_mode = mode}, {1, 1, size}));
    };
    CHECK(check("reflect", 3) == "spec/value");
    CHECK(check("reflect", 4) == "");
    CHECK(check("circular", 2) == "spec/value");
    CHECK(check("circular", 3) == "");
    CHECK(check("replicate", 1) == "");
    CHECK(check("zeros", 1) == "");
}

TEST_CASE("output_padding is below stride or dilation") {
    const auto check = [](std::int64_t stride, std::int64_t dilation, std::int64_t extra) {
        return codes(infer_shape(
            ConvTranspose2d{
                .out_channels = 1, .kernel_size = 3, .stride = stride, .output_padding = extra, .dilation = dilation},
            {1, 1, 4, 4}));
    };
    CHECK(check(2, 1, 1) == "");
    CHECK(check(1, 3, 2) == "");
    CHECK(check(2, 1, 2) == "spec/value");
    CHECK(check(1, 1, 1) == "spec/value");
}

TEST_CASE("integers are refused") {
    const Inference inference =
        infer_types(Conv1d{.out_channels = 2, .kernel_size = 1}, std::vector{TensorType{DType::i64, {1, 1, 3}, false}});
    CHECK(codes(inference) == "dtype/mismatch");
    CHECK(inference.outputs[0].dtype == DType::f32);
}

TEST_CASE("huge options are limits or faults, never undefined") {
    const std::int64_t huge = std::int64_t{1} << 53;
    CHECK(codes(infer_shape(Conv1d{.out_channels = 1, .kernel_size = 3, .dilation = huge}, {1, 1, 5})) ==
          "shape/empty");
    CHECK(codes(infer_shape(Conv2d{.out_channels = huge, .kernel_size = huge}, {1, 1, 5, 5})) == "shape/empty");
    CHECK(codes(infer_shape(Conv1d{.out_channels = 1, .kernel_size = huge, .padding = "same", .dilation = huge},
                            {1, 1, 5})) == "shape/limit");
    CHECK(codes(infer_shape(ConvTranspose2d{.out_channels = huge, .kernel_size = huge, .stride = huge},
                            {1, 1, huge, huge})) == "shape/limit");
    CHECK(codes(infer_shape(Conv2d{.in_channels = 1, .out_channels = 1, .kernel_size = 1, .padding = huge},
                            {1, 1, 5, 5})) == "shape/limit");
}

TEST_CASE("fields that C++ code set to what they must not hold are faults") {
    CHECK(codes(infer_shape(Conv2d{.out_channels = 1, .kernel_size = 1, .groups = 0}, {1, 1, 5, 5})) == "spec/value");
    CHECK(codes(infer_shape(Conv2d{.out_channels = 1, .kernel_size = {1, 1, 1}}, {1, 1, 5, 5})) == "spec/value");
    CHECK(codes(infer_shape(Conv2d{.out_channels = 1, .kernel_size = 1, .padding = "full"}, {1, 1, 5, 5})) ==
          "spec/value");
    CHECK(codes(infer_shape(Conv2d{}, {1, 1, 5, 5})) == "spec/missing-key, spec/missing-key");
    CHECK(codes(infer_shape(ops::MaxPool2d{.kernel_size = 2, .stride = 0}, {1, 1, 5, 5})) == "spec/value");
    CHECK(codes(infer_shape(ops::GroupNorm{}, {1, 1, 5, 5})) == "spec/missing-key, spec/missing-key");
}

TEST_CASE("multiply-accumulates") {
    const auto macs = [](const Inference& inference, Shape shape) {
        return inference.op.macs(std::vector{f32(std::move(shape))}, inference.outputs);
    };
    CHECK(macs(infer_shape(Conv2d{.out_channels = 8, .kernel_size = 3, .padding = 1, .groups = 2}, {2, 6, 5, 5}),
               {2, 6, 5, 5}) == Dim(2 * 8 * 25 * 3 * 9));
    CHECK(macs(infer_shape(ConvTranspose2d{.out_channels = 8, .kernel_size = 3, .stride = 2}, {1, 6, 5, 5}),
               {1, 6, 5, 5}) == Dim(6 * 25 * 8 * 9));
    CHECK(macs(infer_shape(ops::Linear{.out_features = 8}, {"N", 6}), {"N", 6}) == Dim(48) * Dim::symbol("N"));
}

}  // namespace
}  // namespace seq::tests
