#include <doctest/doctest.h>

#include "tests/ops/support.hpp"

namespace seq::tests {
namespace {

using ops::BatchNorm1d;
using ops::BatchNorm2d;
using ops::GroupNorm;
using ops::InstanceNorm2d;
using ops::LayerNorm;
using ops::RMSNorm;

TEST_CASE("norms ask for PyTorch's parameters") {
    CHECK(parameters(infer_shape(BatchNorm2d{}, {"N", 5, 2, 2})) == "weight[5] bias[5] running_mean[5] running_var[5]");
    CHECK(parameters(infer_shape(BatchNorm2d{.affine = false}, {"N", 5, 2, 2})) == "running_mean[5] running_var[5]");
    CHECK(parameters(infer_shape(BatchNorm2d{.track_running_stats = false, .bias = false}, {"N", 5, 2, 2})) ==
          "weight[5]");
    CHECK(parameters(infer_shape(InstanceNorm2d{}, {"N", 5, 2, 2})) == "");
    CHECK(parameters(infer_shape(InstanceNorm2d{.affine = true, .track_running_stats = true}, {"N", 5, 2, 2})) ==
          "weight[5] bias[5] running_mean[5] running_var[5]");
    CHECK(parameters(infer_shape(LayerNorm{.normalized_shape = {2, 3}}, {"N", 2, 3})) == "weight[2, 3] bias[2, 3]");
    CHECK(parameters(infer_shape(LayerNorm{.normalized_shape = 3, .bias = false}, {"N", 2, 3})) == "weight[3]");
    CHECK(parameters(infer_shape(LayerNorm{.normalized_shape = 3, .elementwise_affine = false}, {"N", 2, 3})) == "");
    CHECK(parameters(infer_shape(RMSNorm{.normalized_shape = 3}, {"N", 2, 3})) == "weight[3]");
    CHECK(parameters(infer_shape(GroupNorm{.num_groups = 2, .num_channels = 4}, {"N", 4})) == "weight[4] bias[4]");
}

TEST_CASE("a wrong number of channels leaves two readings") {
    const Inference inference = infer_shape(BatchNorm2d{.num_features = 16}, {"N", 23, 2, 2});
    REQUIRE(inference.faults.size() == 1);
    const Fault& fault = inference.faults[0];
    CHECK(fault.code == "shape/num-features");
    CHECK(fault.message == "takes 16 channels, but gets 23");
    CHECK(fault.field == "num_features");
    CHECK(fault.fixes.at(0).fields.at(0) == std::pair<std::string, FieldValue>{"num_features", std::int64_t{23}});
    CHECK(output_shape(inference) == "[N, 23, 2, 2]");
    REQUIRE(inference.alternative);
    CHECK(inference.alternative->shape.to_string() == "[N, 16, 2, 2]");
    CHECK_FALSE(infer_shape(BatchNorm2d{.num_features = 16}, {"N", 16, 2, 2}).alternative);
}

TEST_CASE("an unknown number of channels is known again after a norm") {
    const Inference inference = infer_shape(BatchNorm2d{.num_features = 16}, {"N", Dim::unknown(), 2, 2});
    CHECK(codes(inference) == "");
    CHECK(inference.outputs[0].shape[1] == Dim(16));
    CHECK(codes(infer_shape(BatchNorm2d{}, {"N", Dim::unknown(), 2, 2})) == "");
    const Inference layer = infer_shape(LayerNorm{.normalized_shape = {4, 5}}, {"N", Dim::unknown(), 5});
    CHECK(codes(layer) == "");
    CHECK(layer.outputs[0].shape == Shape{"N", 4, 5});
}

TEST_CASE("an InstanceNorm without parameters only warns, as PyTorch does") {
    const Inference plain = infer_shape(InstanceNorm2d{.num_features = 4}, {"N", 5, 2, 2});
    CHECK(codes(plain) == "shape/num-features");
    CHECK(plain.faults[0].severity == Severity::warning);
    CHECK_FALSE(plain.alternative);
    const Inference affine = infer_shape(InstanceNorm2d{.num_features = 4, .affine = true}, {"N", 5, 2, 2});
    CHECK(affine.faults.at(0).severity == Severity::error);
    const Inference tracking =
        infer_shape(InstanceNorm2d{.num_features = 4, .track_running_stats = true}, {"N", 5, 2, 2});
    CHECK(tracking.faults.at(0).severity == Severity::error);
}

TEST_CASE("BatchNorm1d takes two or three dimensions") {
    CHECK(codes(infer_shape(BatchNorm1d{}, {"N", 5})) == "");
    CHECK(codes(infer_shape(BatchNorm1d{}, {"N", 5, "L"})) == "");
    CHECK(codes(infer_shape(BatchNorm1d{}, {"N", 5, 2, 2})) == "shape/rank");
    CHECK(codes(infer_shape(BatchNorm2d{}, {"N", 5})) == "shape/rank");
    CHECK(codes(infer_shape(InstanceNorm2d{}, {"N", 5, 2})) == "shape/rank");
}

TEST_CASE("after a rank fault a norm gives what it gets, and its sibling is offered") {
    const auto fix = [](const Inference& inference) {
        REQUIRE(codes(inference) == "shape/rank");
        return inference.faults[0].fixes.at(0).type;
    };
    const Inference flat = infer_shape(BatchNorm2d{.num_features = 4}, {"N", 5});
    CHECK(fix(flat) == "BatchNorm1d");
    CHECK(output_shape(flat) == "[N, 5]");
    CHECK(fix(infer_shape(BatchNorm1d{.num_features = 5}, {"N", 5, 2, 2})) == "BatchNorm2d");
    CHECK(fix(infer_shape(InstanceNorm2d{}, {"N", 5, 2, 2, 2})) == "InstanceNorm3d");
    CHECK(infer_shape(BatchNorm2d{}, {5}).faults.at(0).fixes.empty());
}

TEST_CASE("GroupNorm's groups divide its channels") {
    CHECK(codes(infer_shape(GroupNorm{.num_groups = 3, .num_channels = 6}, {"N", 6, 2})) == "");
    const Inference uneven = infer_shape(GroupNorm{.num_groups = 4, .num_channels = 6}, {"N", 6, 2});
    REQUIRE(codes(uneven) == "shape/groups");
    CHECK(uneven.faults[0].fixes.at(0).fields.at(0) ==
          std::pair<std::string, FieldValue>{"num_groups", std::int64_t{3}});
    const Inference wrong = infer_shape(GroupNorm{.num_groups = 3, .num_channels = 6}, {"N", 8, 2});
    REQUIRE(codes(wrong) == "shape/num-features");
    using Fields = std::vector<std::pair<std::string, FieldValue>>;
    CHECK(wrong.faults[0].fixes.at(0).fields ==
          Fields{{"num_channels", std::int64_t{8}}, {"num_groups", std::int64_t{2}}});
    CHECK(codes(infer_shape(GroupNorm{.num_groups = 3, .num_channels = 6}, {6})) == "shape/rank");
}

TEST_CASE("normalized_shape is that of the last dimensions") {
    CHECK(codes(infer_shape(LayerNorm{.normalized_shape = {3, 4}}, {"N", 3, 4})) == "");
    const Inference one = infer_shape(LayerNorm{.normalized_shape = 8}, {"N", 3, 4});
    REQUIRE(codes(one) == "shape/normalized-shape");
    CHECK(one.faults[0].message == "takes 8 features in the last dimension, but gets 4");
    CHECK(one.faults[0].fixes.at(0).fields.at(0).second == FieldValue(std::int64_t{4}));
    CHECK(output_shape(one) == "[N, 3, 4]");
    CHECK(one.alternative->shape == Shape{"N", 3, 8});
    const Inference two = infer_shape(RMSNorm{.normalized_shape = {5, 6}}, {"N", 3, 4});
    REQUIRE(codes(two) == "shape/normalized-shape");
    CHECK(two.faults[0].message == "takes [5, 6] as the last dimensions, but gets [N, 3, 4]");
    CHECK(two.faults[0].fixes.at(0).fields.at(0).second == FieldValue(std::vector<std::int64_t>{3, 4}));
    CHECK(codes(infer_shape(LayerNorm{.normalized_shape = {2, 3, 4}}, {3, 4})) == "shape/normalized-shape");
    CHECK(codes(infer_shape(LayerNorm{.normalized_shape = 4}, {"N", "L"})) == "shape/symbolic");
}

TEST_CASE("LocalResponseNorm takes three dimensions or more") {
    CHECK(codes(infer_shape(ops::LocalResponseNorm{.size = 2}, {"N", 3, 4})) == "");
    CHECK(codes(infer_shape(ops::LocalResponseNorm{.size = 2}, {"N", 3})) == "shape/rank");
}

}  // namespace
}  // namespace seq::tests
