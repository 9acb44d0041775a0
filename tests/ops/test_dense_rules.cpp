#include <doctest/doctest.h>

#include "tests/ops/support.hpp"

namespace seq::tests {
namespace {

using ops::Bilinear;
using ops::Linear;

TEST_CASE("Linear works on the last dimension") {
    const Inference inference = infer_shape(Linear{.out_features = 10}, {"N", "L", 6});
    CHECK(codes(inference) == "");
    CHECK(output_shape(inference) == "[N, L, 10]");
    CHECK(parameters(inference) == "weight[10, 6] bias[10]");
    CHECK(parameters(infer_shape(Linear{.in_features = 6, .out_features = 10, .bias = false}, {6})) == "weight[10, 6]");
}

TEST_CASE("a wrong in_features is one fault, and the output is as declared") {
    const Inference inference = infer_shape(Linear{.in_features = 400, .out_features = 10}, {"N", 256});
    REQUIRE(inference.faults.size() == 1);
    const Fault& fault = inference.faults[0];
    CHECK(fault.code == "shape/in-features");
    CHECK(fault.message == "takes 400 features, but gets 256");
    CHECK(fault.dim == -1);
    CHECK(fault.fixes.at(0).fields.at(0) == std::pair<std::string, FieldValue>{"in_features", std::int64_t{256}});
    CHECK(output_shape(inference) == "[N, 10]");
    CHECK(parameters(inference) == "weight[10, 400] bias[10]");
}

TEST_CASE("a forgotten Flatten is the first fix, and the output is as with it") {
    const Inference inference = infer_shape(Linear{.in_features = 5 * 4 * 3, .out_features = 10}, {"N", 5, 4, 3});
    REQUIRE(codes(inference) == "shape/in-features");
    REQUIRE(inference.faults[0].fixes.size() == 2);
    CHECK(inference.faults[0].fixes[0].kind == FixIdea::Kind::insert_before);
    CHECK(inference.faults[0].fixes[0].type == "Flatten");
    CHECK(output_shape(inference) == "[N, 10]");
}

TEST_CASE("a symbol in the last dimension is solved for") {
    CHECK(codes(infer_shape(Linear{.out_features = 10}, {"N", "L"})) == "shape/in-features");
    const Inference one =
        infer_shape(Linear{.in_features = 400, .out_features = 10}, {"N", Dim(16) * (Dim::symbol("L") - Dim(2))});
    REQUIRE(codes(one) == "shape/symbolic");
    CHECK(one.faults[0].severity == Severity::error);
    CHECK(one.faults[0].verdict->single_value);
    CHECK(one.faults[0].verdict->valid.at(0).min == 27);
    const Inference never =
        infer_shape(Linear{.in_features = 401, .out_features = 10}, {"N", Dim(16) * (Dim::symbol("L") - Dim(2))});
    CHECK(codes(never) == "shape/symbolic");
    CHECK(output_shape(never) == "[N, 10]");
}

TEST_CASE("what an earlier fault left unknown is not reported again") {
    const Inference inference = infer_shape(Linear{.in_features = 400, .out_features = 10}, {"N", Dim::unknown()});
    CHECK(codes(inference) == "");
    CHECK(output_shape(inference) == "[N, 10]");
    CHECK(codes(infer_shape(Linear{.out_features = 10}, {"N", Dim::unknown()})) == "");
}

TEST_CASE("Bilinear takes two inputs that differ in the last dimension") {
    const Bilinear op{.in1_features = 3, .in2_features = 5, .out_features = 4};
    const Inference inference = infer_types(op, std::vector{f32({"N", 2, 3}), f32({"N", 2, 5})});
    CHECK(codes(inference) == "");
    CHECK(output_shape(inference) == "[N, 2, 4]");
    CHECK(parameters(inference) == "weight[4, 3, 5] bias[4]");
    const Inference second = infer_types(op, std::vector{f32({"N", 2, 3}), f32({"N", 2, 6})});
    REQUIRE(codes(second) == "shape/in-features");
    CHECK(second.faults[0].field == "in2_features");
    CHECK(second.faults[0].input == 1);
    CHECK(codes(infer_types(op, std::vector{f32({"N", 2, 3}), f32({"N", 7, 5})})) == "shape/broadcast");
    CHECK(codes(infer_types(op, std::vector{f32({"N", 3}), f32({"N", 2, 5})})) == "shape/broadcast");
    CHECK(codes(infer_types(op, std::vector{f32({"N", 3}), TensorType{DType::f64, {"N", 5}, false}})) ==
          "dtype/mismatch");
}

}  // namespace
}  // namespace seq::tests
