#include <doctest/doctest.h>

#include "tests/ops/support.hpp"

namespace seq::tests {
namespace {

using ops::AdaptiveAvgPool2d;
using ops::AdaptiveMaxPool2d;
using ops::AvgPool2d;
using ops::MaxPool1d;
using ops::MaxPool2d;

TEST_CASE("a pool's stride is its window unless given") {
    CHECK(output_shape(infer_shape(MaxPool2d{.kernel_size = {2, 3}}, {"N", 5, 8, 9})) == "[N, 5, 4, 3]");
    CHECK(output_shape(infer_shape(MaxPool2d{.kernel_size = 2}, {"N", 5, "H", "W"})) ==
          "[N, 5, floor(H / 2), floor(W / 2)]");
    CHECK(output_shape(infer_shape(AvgPool2d{.kernel_size = 2, .stride = 1}, {"N", "C", 8, 9})) == "[N, C, 7, 8]");
}

TEST_CASE("padding is at most half of the window") {
    CHECK(codes(infer_shape(MaxPool1d{.kernel_size = 3, .padding = 1}, {1, 1, 9})) == "");
    const Inference inference = infer_shape(MaxPool2d{.kernel_size = 3, .padding = 2}, {1, 1, 9, 9});
    REQUIRE(inference.faults.size() == 1);
    CHECK(inference.faults[0].code == "spec/value");
    CHECK(inference.faults[0].field == "padding");
    CHECK(inference.faults[0].message == "takes a padding of at most 1, half of its window of 3, but gets 2");
    CHECK(inference.faults[0].fixes.at(0).fields.at(0).second == FieldValue(std::int64_t{1}));
    CHECK(codes(infer_shape(MaxPool1d{.kernel_size = 3, .padding = 1, .dilation = 2}, {1, 1, 9})) == "");
    CHECK(codes(infer_shape(MaxPool1d{.kernel_size = 3, .padding = 2, .dilation = 2}, {1, 1, 9})) == "spec/value");
    CHECK(codes(infer_shape(AvgPool2d{.kernel_size = {4, 2}, .padding = {2, 2}}, {1, 1, 9, 9})) == "spec/value");
}

TEST_CASE("indices are refused") {
    CHECK(codes(infer_shape(MaxPool2d{.kernel_size = 2, .return_indices = true}, {1, 1, 9, 9})) == "spec/value");
    const Inference inference = infer_shape(AdaptiveMaxPool2d{.output_size = 2, .return_indices = true}, {1, 1, 9, 9});
    CHECK(codes(inference) == "spec/value");
    CHECK(inference.faults[0].field == "return_indices");
    CHECK(output_shape(inference) == "[1, 1, 2, 2]");
}

TEST_CASE("a window larger than the input is shape/empty, but not in ceil mode") {
    CHECK(codes(infer_shape(MaxPool2d{.kernel_size = 3}, {1, 1, 2, 2})) == "shape/empty");
    CHECK(output_shape(infer_shape(MaxPool2d{.kernel_size = 3, .stride = 2, .ceil_mode = true}, {1, 1, 2, 2})) ==
          "[1, 1, 1, 1]");
}

TEST_CASE("an adaptive pool gives the size it is told, or the input's") {
    CHECK(output_shape(infer_shape(AdaptiveAvgPool2d{.output_size = 7}, {"N", 5, "H", "W"})) == "[N, 5, 7, 7]");
    CHECK(output_shape(infer_shape(AdaptiveAvgPool2d{.output_size = {1, 9}}, {"N", 5, 3, 4})) == "[N, 5, 1, 9]");
    CHECK(output_shape(infer_shape(AdaptiveAvgPool2d{.output_size = {null_entry, 2}}, {"N", 5, "H", 4})) ==
          "[N, 5, H, 2]");
    CHECK(output_shape(infer_shape(AdaptiveMaxPool2d{}, {"N", 5, "H", 4})) == "[N, 5, H, 4]");
    const Field* field = op_type<AdaptiveAvgPool2d>().find_field("output_size");
    CHECK_FALSE(field->check(std::vector<std::int64_t>{null_entry, 7}));
    CHECK(field->check(std::vector<std::int64_t>{null_entry, 0})->code == "spec/value");
    CHECK(op_type<MaxPool2d>().find_field("kernel_size")->check(std::vector<std::int64_t>{null_entry, 7})->code ==
          "spec/type");
}

TEST_CASE("ranks other than the family's are refused") {
    CHECK(codes(infer_shape(MaxPool1d{.kernel_size = 2}, {4, 4})) == "shape/rank");
    CHECK(codes(infer_shape(MaxPool2d{.kernel_size = 2}, {4, 4, 4})) == "shape/rank");
    CHECK(codes(infer_shape(AdaptiveAvgPool2d{.output_size = 1}, {4, 4, 4, 4, 4})) == "shape/rank");
    CHECK(codes(infer_shape(ops::AvgPool3d{.kernel_size = 2}, {4, 4, 4, 4})) == "shape/rank");
}

TEST_CASE("lists have one entry a dimension") {
    const Field* field = op_type<MaxPool2d>().find_field("kernel_size");
    CHECK(field->check(std::vector<std::int64_t>{2, 2, 2})->code == "spec/value");
    CHECK(field->check(std::vector<std::int64_t>{2})->code == "spec/value");
    CHECK(field->check(std::int64_t{0})->code == "spec/value");
    CHECK_FALSE(field->check(std::vector<std::int64_t>{2, 1}));
    CHECK(op_type<ops::AvgPool1d>().find_field("divisor_override") == nullptr);
}

TEST_CASE("a huge window over a huge padding overflows into a fault") {
    const std::int64_t huge = std::int64_t{1} << 53;
    CHECK(codes(infer_shape(MaxPool1d{.kernel_size = huge, .stride = 1, .dilation = huge}, {1, 1, 9})) ==
          "shape/limit");
    CHECK(codes(infer_shape(MaxPool1d{.kernel_size = huge}, {1, 1, 9})) == "shape/empty");
}

}  // namespace
}  // namespace seq::tests
