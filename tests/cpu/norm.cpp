#include <doctest/doctest.h>

#include <limits>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/batch_norm.hpp"
#include "graph/ops/group_norm.hpp"
#include "graph/ops/instance_norm.hpp"
#include "graph/ops/layer_norm.hpp"
#include "graph/ops/local_response_norm.hpp"
#include "graph/ops/rms_norm.hpp"
#include "graph/ops/softmax.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::check_kernel;
using seq::test::KernelCase;

TEST_CASE("batch norms agree with the reference, with and without running statistics") {
    for (const std::int64_t channels : {1, 6, 16, 21}) {
        for (const bool affine : {true, false}) {
            ops::BatchNorm2d norm;
            norm.affine = affine;
            check_kernel("cpu.batch_norm", norm, {{3, channels, 5, 7}}, {{ops::ReLU{}, {}}});
            norm.track_running_stats = false;
            check_kernel("cpu.statistics_norm", norm, {{3, channels, 5, 7}}, {{ops::ReLU{}, {}}});
            ops::InstanceNorm2d instance;
            instance.affine = affine;
            check_kernel("cpu.statistics_norm", instance, {{3, channels, 5, 7}});
            instance.track_running_stats = true;
            check_kernel("cpu.batch_norm", instance, {{3, channels, 5, 7}});
        }
    }
    check_kernel("cpu.batch_norm", ops::BatchNorm1d{}, {{5, 6}});
    check_kernel("cpu.batch_norm", ops::BatchNorm1d{}, {{5, 6, 9}});
    check_kernel("cpu.batch_norm", ops::BatchNorm3d{}, {{2, 6, 3, 4, 5}});
    check_kernel("cpu.statistics_norm", ops::InstanceNorm1d{}, {{2, 6, 1000}});
}

TEST_CASE("group norms agree with the reference") {
    for (const auto& [groups, channels] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 6}, {3, 6}, {6, 6}, {4, 32}, {7, 21}}) {
        ops::GroupNorm norm;
        norm.num_groups = groups;
        norm.num_channels = channels;
        check_kernel("cpu.statistics_norm", norm, {{2, channels, 9, 7}}, {{ops::Add{}, {{2, channels, 9, 7}}}});
        check_kernel("cpu.statistics_norm", norm, {{3, channels}});
        norm.affine = false;
        check_kernel("cpu.statistics_norm", norm, {{2, channels, 30}});
    }
}

TEST_CASE("layer norms and RMS norms agree with the reference") {
    for (const IntList& shape : {IntList(24), IntList(1), IntList{6, 24}, IntList(768), IntList(17)}) {
        std::vector<std::int64_t> input{2, 5};
        if (!shape.is_scalar()) input.pop_back();
        input.insert(input.end(), shape.values().begin(), shape.values().end());
        ops::LayerNorm layer;
        layer.normalized_shape = shape;
        check_kernel("cpu.layer_norm", layer, {input}, {{ops::GELU{}, {}}});
        layer.bias = false;
        check_kernel("cpu.layer_norm", layer, {input});
        ops::RMSNorm rms;
        rms.normalized_shape = shape;
        check_kernel("cpu.layer_norm", rms, {input});
        rms.elementwise_affine = false;
        rms.eps = 1e-3;
        check_kernel("cpu.layer_norm", rms, {input});
    }
}

TEST_CASE("local response norms agree with the reference") {
    for (const std::int64_t size : {1, 2, 3, 5, 40}) {
        ops::LocalResponseNorm norm;
        norm.size = size;
        norm.alpha = 0.1;
        norm.k = 2;
        check_kernel("cpu.local_response_norm", norm, {{2, 21, 5, 7}});
        norm.beta = 0.5;
        check_kernel("cpu.local_response_norm", norm, {{1, 8, 300}}, {{ops::ReLU{}, {}}});
    }
}

TEST_CASE("softmaxes agree with the reference over every dimension") {
    for (std::int64_t dim = -4; dim < 4; ++dim) {
        check_kernel("cpu.softmax", ops::Softmax{dim}, {{2, 6, 5, 19}});
        check_kernel("cpu.softmax", ops::LogSoftmax{dim}, {{2, 6, 5, 19}});
        check_kernel("cpu.softmax", ops::Softmin{dim}, {{2, 6, 5, 19}}, {{ops::Mul{2.0}, {}}});
    }
    check_kernel("cpu.softmax", ops::Softmax{}, {{1000}});
    check_kernel("cpu.softmax", ops::Softmax{}, {{3, 1}});
    check_kernel("cpu.softmax", ops::Softmax2d{}, {{2, 5, 20, 30}});
    check_kernel("cpu.softmax", ops::Softmax2d{}, {{5, 20, 30}});
}

TEST_CASE("softmaxes of NaN and infinities agree with the reference") {
    const float inf = std::numeric_limits<float>::infinity();
    for (const Op& op : {Op(ops::Softmax{1}), Op(ops::LogSoftmax{1}), Op(ops::LogSoftmax{0})}) {
        KernelCase example(op, {{16, 33}});
        CHECK(example.run_nonfinite({std::numeric_limits<float>::quiet_NaN(), -inf, inf, 90.0f, -110.0f}).size() == 1);
    }
}
