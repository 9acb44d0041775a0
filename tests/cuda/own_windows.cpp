#include <doctest/doctest.h>

#include <limits>

#include "graph/op_table.hpp"
#include "tests/cuda/own_case.hpp"

using namespace seq;
using seq::test::check_own;
using seq::test::OwnCase;

namespace {

const float inf = std::numeric_limits<float>::infinity();
const float not_a_number = std::numeric_limits<float>::quiet_NaN();

void check_nonfinite(const Op& op, const std::vector<std::vector<std::int64_t>>& inputs) {
    for (const std::vector<float>& values : {std::vector<float>{not_a_number, 0.5f, -2.0f}, {inf, 1.0f}, {-inf}}) {
        OwnCase example(op, inputs);
        example.put(values);
        CHECK(example.run().size() == 1);
    }
}

const std::vector<std::vector<OwnCase::Post>> epilogues{
    {},
    {{ops::ReLU{}, {}}},
    {{ops::Add{}, {{2, 8, 3, 4}}}, {ops::Hardswish{}, {}}, {ops::Mul{}, {{8, 1, 1}}, 1, true}},
};

}  // namespace

TEST_CASE("CUDA max pools, in which a NaN wins") {
    check_own("cuda.pool", ops::MaxPool1d{.kernel_size = 3, .stride = 2, .padding = 1}, {{2, 5, 11}});
    check_own("cuda.pool", ops::MaxPool2d{.kernel_size = {3, 2}, .padding = 1, .dilation = {2, 1}}, {{2, 5, 9, 8}});
    check_own("cuda.pool", ops::MaxPool2d{.kernel_size = 3, .stride = 2, .ceil_mode = true}, {{2, 8, 8, 6}});
    check_own("cuda.pool", ops::MaxPool3d{.kernel_size = 2}, {{2, 4, 5, 4, 3}});
    check_own("cuda.pool", ops::AdaptiveMaxPool2d{.output_size = {3, 2}}, {{2, 4, 7, 5}});
    check_own("cuda.pool", ops::AdaptiveMaxPool1d{.output_size = 7}, {{2, 3, 5}});
    check_nonfinite(ops::MaxPool2d{.kernel_size = 3, .stride = 2, .padding = 1}, {{2, 5, 7, 7}});
    check_nonfinite(ops::MaxPool2d{.kernel_size = 3, .stride = 2, .padding = 1}, {{2, 8, 7, 7}});
}

TEST_CASE("CUDA average pools count their elements as PyTorch does") {
    for (const bool counts : {true, false}) {
        for (const bool ceil : {true, false}) {
            check_own("cuda.pool", ops::AvgPool1d{3, 2, 1, ceil, counts}, {{2, 5, 10}});
            check_own("cuda.pool", ops::AvgPool2d{{3, 2}, {2, 3}, {1, 0}, ceil, counts}, {{2, 5, 8, 9}});
            check_own("cuda.pool", ops::AvgPool2d{3, 2, 1, ceil, counts}, {{2, 8, 8, 9}}, {{ops::ReLU{}, {}}});
            check_own("cuda.pool", ops::AvgPool2d{3, 2, 1, ceil, counts, 5}, {{2, 5, 8, 9}});
            check_own("cuda.pool", ops::AvgPool3d{3, 2, 1, ceil, counts}, {{2, 3, 4, 5, 6}});
        }
    }
    check_own("cuda.pool", ops::AdaptiveAvgPool2d{.output_size = {3, 2}}, {{2, 4, 7, 5}});
    check_own("cuda.pool", ops::AdaptiveAvgPool2d{.output_size = 1}, {{2, 5, 7, 5}}, {{ops::Sigmoid{}, {}}});
    check_own("cuda.pool", ops::AdaptiveAvgPool2d{.output_size = 1}, {{2, 64, 17, 19}});
    check_own("cuda.pool", ops::AdaptiveAvgPool3d{.output_size = {2, 1, 3}}, {{2, 4, 3, 5, 7}});
    check_own("cuda.pool", ops::AdaptiveAvgPool1d{.output_size = 1}, {{2, 3, 1500}});
    check_nonfinite(ops::AvgPool2d{3, 2, 1}, {{2, 5, 7, 7}});
    check_nonfinite(ops::AdaptiveAvgPool2d{.output_size = 1}, {{2, 5, 7, 7}});
}

TEST_CASE("CUDA LP pools") {
    check_own("cuda.pool", ops::LPPool1d{2.0, 3, 2, true}, {{2, 5, 10}});
    check_own("cuda.pool", ops::LPPool2d{1.0, {3, 2}, 2}, {{2, 4, 8, 9}});
    check_own("cuda.pool", ops::LPPool3d{2.0, 2}, {{2, 3, 4, 4, 5}});
}

TEST_CASE("CUDA upsampling") {
    check_own("cuda.upsample", ops::Upsample{.size = 7}, {{2, 5, 3}});
    check_own("cuda.upsample", ops::Upsample{.scale_factor = 2.0}, {{2, 5, 3, 4}});
    check_own("cuda.upsample", ops::Upsample{.scale_factor = 1.7}, {{2, 5, 6, 7}});
    check_own("cuda.upsample", ops::Upsample{.size = {3, 8, 5}}, {{2, 3, 2, 4, 7}});
    check_own("cuda.upsample", ops::UpsamplingNearest2d{.size = {5, 3}}, {{2, 3, 4, 7}}, {}, {DType::u8});
    check_own("cuda.upsample", ops::UpsamplingNearest2d{.size = {5, 4}}, {{2, 3, 4, 4}}, {}, {DType::i64});
    for (const bool corners : {true, false}) {
        check_own("cuda.upsample", ops::Upsample{.size = 7, .mode = "linear", .align_corners = corners}, {{2, 5, 3}});
        check_own("cuda.upsample", ops::Upsample{.scale_factor = 1.7, .mode = "bilinear", .align_corners = corners},
                  {{2, 5, 6, 7}});
        check_own("cuda.upsample", ops::Upsample{.size = {3, 8, 5}, .mode = "trilinear", .align_corners = corners},
                  {{2, 3, 2, 4, 7}});
    }
    check_own("cuda.upsample", ops::UpsamplingBilinear2d{.scale_factor = 2.0}, {{2, 4, 3, 5}});
}

TEST_CASE("CUDA convolutions of every kind") {
    check_own("cuda.convolution", ops::Conv1d{.out_channels = 9, .kernel_size = 3, .stride = 2, .padding = 1},
              {{2, 5, 11}});
    check_own("cuda.convolution", ops::Conv2d{.out_channels = 3, .kernel_size = {3, 2}, .dilation = {2, 1}},
              {{2, 5, 9, 8}});
    check_own("cuda.convolution", ops::Conv2d{.out_channels = 70, .kernel_size = 3, .padding = 1, .bias = false},
              {{2, 17, 9, 8}});
    check_own("cuda.convolution", ops::Conv2d{.out_channels = 20, .kernel_size = 1, .stride = 2}, {{5, 33, 5, 7}});
    check_own("cuda.convolution", ops::Conv2d{.out_channels = 27, .kernel_size = 3, .groups = 3}, {{2, 6, 5, 7}});
    check_own("cuda.convolution", ops::Conv2d{.out_channels = 6, .kernel_size = 3, .groups = 3}, {{2, 6, 5, 7}});
    check_own("cuda.convolution", ops::Conv3d{.out_channels = 9, .kernel_size = 2, .padding = {1, 0, 1}},
              {{2, 3, 4, 5, 4}});
    for (const char* mode : {"reflect", "replicate", "circular"}) {
        for (const std::int64_t channels : {5, 12}) {
            check_own("cuda.convolution",
                      ops::Conv2d{.out_channels = channels, .kernel_size = 3, .padding = {2, 1}, .padding_mode = mode},
                      {{2, 3, 5, 4}});
        }
    }
    check_own("cuda.convolution", ops::Conv2d{.out_channels = 9, .kernel_size = 4, .padding = "same"}, {{2, 3, 5, 4}});
}

TEST_CASE("CUDA depthwise convolutions, in groups of four channels and one by one") {
    for (const std::int64_t channels : {5, 8}) {
        check_own("cuda.convolution",
                  ops::Conv2d{.out_channels = channels, .kernel_size = 3, .padding = 1, .groups = channels},
                  {{2, channels, 6, 5}}, {{ops::ReLU6{}, {}}});
        check_own("cuda.convolution",
                  ops::Conv2d{.out_channels = channels,
                              .kernel_size = 5,
                              .stride = 2,
                              .padding = 2,
                              .groups = channels,
                              .bias = false},
                  {{2, channels, 6, 5}}, {{ops::SiLU{}, {}}, {ops::Add{}, {{2, channels, 3, 3}}}});
        check_own("cuda.convolution", ops::Conv1d{.out_channels = 2 * channels, .kernel_size = 3, .groups = channels},
                  {{2, channels, 7}});
    }
}

TEST_CASE("CUDA transposed convolutions") {
    check_own("cuda.convolution", ops::ConvTranspose1d{.out_channels = 3, .kernel_size = 3, .stride = 2}, {{2, 5, 7}});
    check_own("cuda.convolution",
              ops::ConvTranspose2d{.out_channels = 9,
                                   .kernel_size = {3, 2},
                                   .stride = {2, 3},
                                   .padding = 1,
                                   .output_padding = {1, 2},
                                   .dilation = 2},
              {{2, 5, 4, 3}});
    check_own("cuda.convolution",
              ops::ConvTranspose2d{.out_channels = 18, .kernel_size = 2, .stride = 2, .groups = 2, .bias = false},
              {{2, 6, 4, 3}}, {{ops::ReLU{}, {}}});
    check_own("cuda.convolution", ops::ConvTranspose2d{.out_channels = 6, .kernel_size = 3, .groups = 6},
              {{2, 6, 4, 3}});
    check_own("cuda.convolution", ops::ConvTranspose3d{.out_channels = 9, .kernel_size = 2, .stride = 2},
              {{1, 3, 2, 3, 2}});
}

TEST_CASE("CUDA convolutions with epilogues of every shape") {
    for (const auto& epilogue : epilogues) {
        check_own("cuda.convolution", ops::Conv2d{.out_channels = 8, .kernel_size = 3, .padding = 1}, {{2, 5, 3, 4}},
                  epilogue);
        check_own("cuda.convolution", ops::Conv2d{.out_channels = 8, .kernel_size = 3, .padding = 1, .groups = 8},
                  {{2, 8, 3, 4}}, epilogue);
        check_own("cuda.pool", ops::MaxPool2d{.kernel_size = 3, .stride = 1, .padding = 1}, {{2, 8, 3, 4}}, epilogue);
    }
}

TEST_CASE("CUDA convolutions of numbers that are not finite") {
    check_nonfinite(ops::Conv2d{.out_channels = 9, .kernel_size = 3, .padding = 1}, {{2, 3, 5, 4}});
    check_nonfinite(ops::ConvTranspose2d{.out_channels = 9, .kernel_size = 3, .stride = 2}, {{2, 3, 5, 4}});
    check_nonfinite(ops::Conv2d{.out_channels = 8, .kernel_size = 3, .padding = 1, .groups = 8}, {{2, 8, 5, 4}});
    for (const Op& op : {Op(ops::Conv2d{.out_channels = 9, .kernel_size = 3, .padding = 1}),
                         Op(ops::ConvTranspose2d{.out_channels = 9, .kernel_size = 3, .stride = 2}),
                         Op(ops::Conv2d{.out_channels = 9, .kernel_size = 3, .padding = 1, .groups = 3})}) {
        OwnCase example(op, {{2, 3, 5, 4}});
        example.put({inf, not_a_number, 1.0f, -1.0f}, 1);  // zeros of the padding meet no infinite weight
        CHECK(example.run().size() == 1);
    }
}

TEST_CASE("CUDA Linear, Bilinear and MatMul") {
    const std::vector<OwnCase::Post> epilogue{{ops::GELU{}, {}}, {ops::Mul{}, {{1}}}};
    check_own("cuda.product", ops::Linear{.out_features = 5}, {{3, 7}}, epilogue);
    check_own("cuda.product", ops::Linear{.out_features = 70, .bias = false}, {{2, 33, 37}}, epilogue);
    check_own("cuda.product", ops::Linear{.out_features = 100}, {{1, 300}});
    check_own("cuda.product", ops::Linear{.out_features = 5}, {{7}});
    check_own("cuda.product", ops::Linear{.out_features = 17}, {{2, 3, 5, 9}});
    check_own("cuda.product", ops::Bilinear{.in1_features = 4, .in2_features = 3, .out_features = 5}, {{2, 4}, {2, 3}});
    check_own("cuda.product", ops::Bilinear{.in1_features = 7, .in2_features = 5, .out_features = 19, .bias = false},
              {{20, 7}, {20, 5}});
    const std::vector<std::vector<std::vector<std::int64_t>>> shapes{
        {{3, 4}, {4, 5}},
        {{70, 33}, {33, 65}},
        {{2, 3, 4}, {2, 4, 5}},
        {{2, 3, 9, 17}, {17, 10}},
        {{3, 1, 9, 4}, {2, 4, 10}},
        {{4}, {4, 5}},
        {{3, 4}, {4}},
        {{4}, {4}},
        {{4}, {3, 4, 5}},
        {{2, 1, 12, 3}, {5, 3, 9}},
        {{20, 4}, {4}},
    };
    for (const auto& inputs : shapes) check_own("cuda.product", ops::MatMul{}, inputs, {{ops::ReLU{}, {}}});
    check_nonfinite(ops::Linear{.out_features = 19}, {{20, 7}});
    check_nonfinite(ops::MatMul{}, {{20, 7}, {7, 19}});
}
