#include <doctest/doctest.h>

#include <limits>

#include "graph/op_table.hpp"
#include "tests/cuda/own_case.hpp"

using namespace seq;
using seq::test::check_own;
using seq::test::OwnCase;

namespace {

const float inf = std::numeric_limits<float>::infinity();
const float nan = std::numeric_limits<float>::quiet_NaN();

/// On numbers of which some are NaN or Inf.
void check_nonfinite(const Op& op, const std::vector<std::vector<std::int64_t>>& inputs) {
    for (const std::vector<float>& values : {std::vector<float>{nan}, {inf, 1.0f}, {-inf, 0.5f, 2.0f}}) {
        OwnCase example(op, inputs);
        example.put(values);
        CHECK(example.run().size() == 1);
    }
}

const std::vector<OwnCase::Post> epilogue{{ops::ReLU{}, {}}, {ops::Mul{}, {{1}}}};

}  // namespace

TEST_CASE("CUDA sums and means over every choice of dimensions") {
    for (const IntList& dim : {IntList(0), IntList(1), IntList(2), IntList(3), IntList{2, 3}, IntList{0, 2},
                               IntList{1, 3}, IntList{-1, 0}, IntList{0, 1, 2, 3}, IntList()}) {
        for (const bool keepdim : {false, true}) {
            check_own("cuda.reduce", ops::Mean{dim, keepdim}, {{2, 5, 3, 4}});
            check_own("cuda.reduce", ops::Sum{dim, keepdim}, {{2, 5, 3, 4}});
            for (const DType dtype : {DType::i64, DType::i32, DType::i8, DType::u8, DType::boolean})
                check_own("cuda.reduce", ops::Sum{dim, keepdim}, {{2, 5, 3, 4}}, {}, {dtype});
        }
    }
    check_own("cuda.reduce", ops::Mean{}, {{7000}});
    check_own("cuda.reduce", ops::Sum{1}, {{3, 1500}});
    check_nonfinite(ops::Mean{1}, {{4, 9}});
}

TEST_CASE("CUDA softmaxes along every dimension") {
    for (const std::int64_t dim : {0, 1, 2, 3, -1}) {
        check_own("cuda.softmax", ops::Softmax{dim}, {{2, 5, 3, 4}});
        check_own("cuda.softmax", ops::Softmin{dim}, {{2, 5, 3, 4}});
        check_own("cuda.softmax", ops::LogSoftmax{dim}, {{2, 5, 3, 4}});
    }
    check_own("cuda.softmax", ops::Softmax{}, {{3, 1000}});
    check_own("cuda.softmax", ops::Softmax{0}, {{3}});
    check_own("cuda.softmax", ops::Softmax2d{}, {{2, 5, 3, 4}});
    check_own("cuda.softmax", ops::Softmax2d{}, {{5, 3, 4}});
    check_nonfinite(ops::Softmax{1}, {{5, 7}});
    check_nonfinite(ops::LogSoftmax{0}, {{5, 7}});
    OwnCase large(ops::Softmax{1}, {{5, 7}});
    large.put({1e30f, -1e30f, 88.0f});
    CHECK(large.run().size() == 1);
}

TEST_CASE("CUDA GLU along every dimension") {
    for (const std::int64_t dim : {0, 1, 2, 3, -1}) check_own("cuda.glu", ops::GLU{dim}, {{2, 6, 4, 8}});
    check_nonfinite(ops::GLU{}, {{5, 6}});
}

TEST_CASE("CUDA norms whose statistics are known") {
    for (const bool affine : {true, false}) {
        check_own("cuda.norm", ops::BatchNorm1d{.affine = affine}, {{3, 7}}, epilogue);
        check_own("cuda.norm", ops::BatchNorm1d{.affine = affine}, {{3, 7, 5}});
        check_own("cuda.norm", ops::BatchNorm2d{.affine = affine, .bias = false}, {{2, 5, 3, 4}}, epilogue);
        check_own("cuda.norm", ops::BatchNorm3d{.affine = affine}, {{2, 5, 3, 1, 2}});
        check_own("cuda.norm", ops::InstanceNorm2d{.affine = affine, .track_running_stats = true}, {{2, 5, 3, 4}});
    }
    check_nonfinite(ops::BatchNorm1d{}, {{3, 7}});
}

TEST_CASE("CUDA norms of what they normalize") {
    check_own("cuda.norm", ops::BatchNorm1d{.track_running_stats = false}, {{5, 7}}, epilogue);
    check_own("cuda.norm", ops::BatchNorm2d{.track_running_stats = false}, {{2, 5, 3, 4}}, epilogue);
    check_own("cuda.norm", ops::InstanceNorm1d{}, {{2, 5, 13}}, epilogue);
    check_own("cuda.norm", ops::InstanceNorm2d{.affine = true}, {{2, 5, 7, 4}}, epilogue);
    check_own("cuda.norm", ops::InstanceNorm3d{}, {{2, 3, 3, 2, 4}});
    check_own("cuda.norm", ops::GroupNorm{.num_groups = 3, .num_channels = 6}, {{2, 6, 5, 3}}, epilogue);
    check_own("cuda.norm", ops::GroupNorm{.num_groups = 1, .num_channels = 6, .bias = false}, {{2, 6, 5}});
    check_own("cuda.norm", ops::GroupNorm{.num_groups = 6, .num_channels = 6, .affine = false}, {{2, 6, 5, 3}});
    check_own("cuda.norm", ops::GroupNorm{.num_groups = 2, .num_channels = 6}, {{5, 6}});
    check_own("cuda.norm", ops::LayerNorm{.normalized_shape = {4}}, {{2, 5, 3, 4}}, epilogue);
    check_own("cuda.norm", ops::LayerNorm{.normalized_shape = {3, 4}, .bias = false}, {{2, 5, 3, 4}});
    check_own("cuda.norm", ops::LayerNorm{.normalized_shape = {1100}}, {{3, 1100}});
    check_own("cuda.norm", ops::RMSNorm{.normalized_shape = {5, 3}}, {{2, 5, 3}}, epilogue);
    check_own("cuda.norm", ops::RMSNorm{.normalized_shape = {33}, .elementwise_affine = false}, {{4, 33}});
    check_nonfinite(ops::LayerNorm{.normalized_shape = {7}}, {{5, 7}});
}

TEST_CASE("CUDA local response norm") {
    check_own("cuda.local_response_norm", ops::LocalResponseNorm{3}, {{2, 7, 3, 4}});
    check_own("cuda.local_response_norm", ops::LocalResponseNorm{4, 0.1, 0.5, 2.0}, {{2, 7, 5}});
    check_own("cuda.local_response_norm", ops::LocalResponseNorm{20}, {{2, 7, 5}});
    check_nonfinite(ops::LocalResponseNorm{3}, {{2, 7, 5}});
}

TEST_CASE("CUDA embeddings; a row that is not there is NaN") {
    check_own("cuda.embedding", ops::Embedding{9, 5}, {{2, 7}}, {}, {DType::i64});
    check_own("cuda.embedding", ops::Embedding{9, 8}, {{3}}, {}, {DType::i32});
}
