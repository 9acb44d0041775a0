#include <doctest/doctest.h>

#include "tests/ops/support.hpp"

namespace seq::tests {
namespace {

TEST_CASE("activations keep the shape, any shape, and the float type") {
    for (const Op& op :
         {Op(ops::ReLU{}), Op(ops::GELU{}), Op(ops::Softsign{}), Op(ops::Dropout{}), Op(ops::Softmax{})}) {
        for (const Shape& shape : {Shape{}, Shape{"N"}, Shape{"N", "C", 3, 4, 5, 6}}) {
            const Inference inference = infer_types(op, std::vector{TensorType{DType::f64, shape, false}});
            CHECK(codes(inference) == "");
            CHECK(inference.outputs[0] == TensorType{DType::f64, shape, false});
        }
    }
}

TEST_CASE("integers pass only where nothing is computed") {
    const auto check = [](const Op& op) {
        return codes(infer_types(op, std::vector{TensorType{DType::i64, {2, 3}, false}}));
    };
    CHECK(check(ops::ReLU{}) == "dtype/mismatch");
    CHECK(check(ops::Softmax{}) == "dtype/mismatch");
    CHECK(check(ops::Identity{}) == "");
    CHECK(check(ops::Dropout{}) == "");
}

TEST_CASE("PReLU has one slope, or one a channel") {
    CHECK(parameters(infer_shape(ops::PReLU{}, {"N"})) == "weight[1]");
    CHECK(parameters(infer_shape(ops::PReLU{.num_parameters = 3}, {"N", 3, 4})) == "weight[3]");
    const Inference inference = infer_shape(ops::PReLU{.num_parameters = 3}, {"N", 4});
    CHECK(codes(inference) == "shape/num-features");
    CHECK(output_shape(inference) == "[N, 4]");
    CHECK(codes(infer_shape(ops::PReLU{.num_parameters = 3}, {3})) == "shape/rank");
}

TEST_CASE("GLU halves a dimension") {
    CHECK(output_shape(infer_shape(ops::GLU{}, {"N", 3, 8})) == "[N, 3, 4]");
    CHECK(output_shape(infer_shape(ops::GLU{.dim = 1}, {"N", 6, 8})) == "[N, 3, 8]");
    CHECK(output_shape(infer_shape(ops::GLU{}, {"N", Dim(2) * Dim::symbol("L")})) == "[N, L]");
    CHECK(codes(infer_shape(ops::GLU{}, {"N", 3, 7})) == "spec/value");
    CHECK(codes(infer_shape(ops::GLU{.dim = 3}, {"N", 3, 8})) == "spec/value");
    CHECK(codes(infer_shape(ops::GLU{.dim = -4}, {"N", 3, 8})) == "spec/value");
    CHECK(codes(infer_shape(ops::GLU{}, {"N", "L"})) == "shape/symbolic");
}

TEST_CASE("a softmax's dimension is one of the input's") {
    CHECK(codes(infer_shape(ops::Softmax{.dim = -2}, {"N", 3})) == "");
    const Inference inference = infer_shape(ops::LogSoftmax{.dim = 2}, {"N", 3});
    CHECK(codes(inference) == "spec/value");
    CHECK(inference.faults.at(0).fixes.at(0).fields.at(0).second == FieldValue(std::int64_t{-1}));
    CHECK(output_shape(inference) == "[N, 3]");
    CHECK(codes(infer_shape(ops::Softmin{.dim = -3}, {"N", 3})) == "spec/value");
    CHECK(codes(infer_shape(ops::Softmax2d{}, {"N", 3, 4, 4})) == "");
    CHECK(codes(infer_shape(ops::Softmax2d{}, {"N", 3})) == "shape/rank");
    CHECK(ops::implicit_softmax_dim(1) == 0);
    CHECK(ops::implicit_softmax_dim(2) == 1);
    CHECK(ops::implicit_softmax_dim(3) == 0);
    CHECK(ops::implicit_softmax_dim(4) == 1);
}

TEST_CASE("options that make no function are refused") {
    CHECK(codes(infer_shape(ops::Hardtanh{.min_val = 1, .max_val = 1}, {"N"})) == "spec/value");
    CHECK(codes(infer_shape(ops::CELU{.alpha = 0}, {"N"})) == "spec/value");
    CHECK(codes(infer_shape(ops::Softplus{.beta = 0}, {"N"})) == "spec/value");
    CHECK(op_type<ops::GELU>().find_field("approximate")->check(std::string("erf"))->code == "spec/value");
    CHECK(op_type<ops::Softshrink>().find_field("lambd")->check(-0.5)->code == "spec/value");
    CHECK(op_type<ops::Dropout>().find_field("p")->check(1.5)->code == "spec/value");
}

TEST_CASE("what passes need to know of activations") {
    CHECK(op_type<ops::ReLU>().traits.elementwise);
    CHECK(op_type<ops::Threshold>().traits.elementwise);
    CHECK_FALSE(op_type<ops::PReLU>().traits.elementwise);
    CHECK_FALSE(op_type<ops::GLU>().traits.elementwise);
    CHECK_FALSE(op_type<ops::Softmax>().traits.elementwise);
    for (const char* name :
         {"Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"}) {
        register_builtin_ops();
        CHECK(OpTable::instance().find(name)->traits.identity_at_inference);
    }
}

}  // namespace
}  // namespace seq::tests
