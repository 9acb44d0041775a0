#include <doctest/doctest.h>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/concat.hpp"
#include "graph/ops/dropout.hpp"
#include "graph/ops/embedding.hpp"
#include "graph/ops/pad.hpp"
#include "graph/ops/permute.hpp"
#include "graph/ops/reduce.hpp"
#include "graph/ops/reshape.hpp"
#include "graph/ops/shuffle.hpp"
#include "graph/ops/slice.hpp"
#include "graph/ops/split.hpp"
#include "graph/ops/upsample.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::check_kernel;
using seq::test::KernelCase;

namespace {

/// The kernel takes elements of every width.
void check_dtypes(const std::string& kernel, const Op& op, const std::vector<std::vector<std::int64_t>>& inputs) {
    check_kernel(kernel, op, inputs);
    for (const DType dtype : {DType::i64, DType::f64, DType::i32, DType::u8, DType::i8, DType::boolean}) {
        KernelCase example(op, inputs, {}, std::vector<DType>(inputs.size(), dtype));
        const auto ran = example.run_all();
        CAPTURE(name_of(dtype));
        CHECK(std::find(ran.begin(), ran.end(), kernel) != ran.end());
    }
}

}  // namespace

TEST_CASE("pads agree with the reference in every layout") {
    for (const auto& input : std::vector<std::vector<std::int64_t>>{{2, 6, 12, 10}, {1, 16, 5, 4}, {3, 21, 7, 6}}) {
        for (const IntList& amounts : {IntList(2), IntList{1, 2, 3, 0}, IntList{-1, 2, 0, -2}}) {
            check_kernel("cpu.gather", ops::ZeroPad2d{amounts}, {input});
            check_kernel("cpu.gather", ops::ConstantPad2d{amounts, 1.5}, {input}, {{ops::ReLU{}, {}}});
            check_kernel("cpu.gather", ops::ReflectionPad2d{amounts}, {input});
            check_kernel("cpu.gather", ops::ReplicationPad2d{amounts}, {input});
            check_kernel("cpu.gather", ops::CircularPad2d{amounts}, {input});
        }
    }
    check_kernel("cpu.gather", ops::ConstantPad1d{{2, 1}, -3.0}, {{2, 6, 9}});
    check_kernel("cpu.gather", ops::ReflectionPad3d{1}, {{2, 6, 4, 5, 6}});
    check_kernel("cpu.gather", ops::ZeroPad1d{3}, {{7}});
    check_dtypes("cpu.gather", ops::ConstantPad2d{1, 300.7}, {{2, 3, 4, 5}});
}

TEST_CASE("upsampling agrees with the reference in every layout") {
    for (const auto& input : std::vector<std::vector<std::int64_t>>{{2, 6, 12, 10}, {1, 16, 5, 4}, {1, 21, 7, 1}}) {
        for (const IntList& size : {IntList{20, 31}, IntList{5, 3}, IntList{1, 1}, IntList{input[2], 17}}) {
            ops::Upsample upsample;
            upsample.size = size;
            check_kernel("cpu.gather", upsample, {input});
            upsample.mode = "bilinear";
            check_kernel("cpu.upsample_linear", upsample, {input}, {{ops::ReLU{}, {}}});
            upsample.align_corners = true;
            check_kernel("cpu.upsample_linear", upsample, {input});
        }
        ops::Upsample scaled;
        scaled.scale_factor = {2.5, 1.7};
        check_kernel("cpu.gather", scaled, {input});
        scaled.mode = "bilinear";
        check_kernel("cpu.upsample_linear", scaled, {input});
        check_kernel("cpu.gather", ops::UpsamplingNearest2d{{}, 2}, {input});
        check_kernel("cpu.upsample_linear", ops::UpsamplingBilinear2d{{}, 3}, {input});
    }
    for (const std::vector<std::int64_t>& input : {std::vector<std::int64_t>{2, 6, 12}, {2, 3, 4, 5, 6}}) {
        ops::Upsample nearest;
        nearest.scale_factor = 2.2;
        check_kernel("cpu.gather", nearest, {input});
    }
    ops::Upsample one;
    one.size = 7001;
    one.mode = "linear";
    check_kernel("cpu.upsample_linear", one, {{2, 3, 5000}});
    ops::Upsample three;
    three.scale_factor = 2;
    three.mode = "trilinear";
    check_kernel("cpu.upsample_linear", three, {{2, 5, 3, 4, 5}});
}

TEST_CASE("permutations agree with the reference") {
    for (const IntList& dims : {IntList{0, 3, 1, 2}, IntList{3, 2, 1, 0}, IntList{0, 1, 2, 3}, IntList{2, 0, 3, 1}}) {
        check_dtypes("cpu.rearrange", ops::Permute{dims}, {{2, 6, 4, 3}});
        check_kernel("cpu.rearrange", ops::Permute{dims}, {{3, 33, 17, 70}});
    }
    check_kernel("cpu.rearrange", ops::Transpose{0, 1}, {{300, 257}}, {{ops::ReLU{}, {}}});
    check_kernel("cpu.rearrange", ops::Transpose{-1, 1}, {{2, 5, 6, 1, 4}});
    check_kernel("cpu.rearrange", ops::Permute{{0}}, {{5}});
}

TEST_CASE("joins and cuts agree with the reference in every layout") {
    for (std::int64_t dim = 0; dim < 4; ++dim) {
        std::vector<std::int64_t> a{2, 16, 4, 5}, b{2, 16, 4, 5}, c{2, 16, 4, 5};
        b[static_cast<std::size_t>(dim)] = 32;
        c[static_cast<std::size_t>(dim)] = 7;
        check_dtypes("cpu.rearrange", ops::Concat{dim}, {a, b, c});
        check_kernel("cpu.rearrange", ops::Concat{dim}, {c, a}, {{ops::Tanh{}, {}}});
        check_dtypes("cpu.rearrange", ops::Split{IntList{16, 32, 7}, dim}, {[&] {
                         std::vector<std::int64_t> whole = a;
                         whole[static_cast<std::size_t>(dim)] = 55;
                         return whole;
                     }()});
        ops::Slice slice;
        slice.dim = dim - 4;
        slice.start = 1;
        slice.end = -1;
        slice.step = dim == 1 ? 3 : 1;
        check_dtypes("cpu.gather", slice, {{4, 21, 6, 7}});
    }
    check_kernel("cpu.rearrange", ops::Split{IntList{1, 2}, 0}, {{3}});
}

TEST_CASE("shuffles agree with the reference") {
    check_dtypes("cpu.rearrange", ops::PixelShuffle{2}, {{2, 12, 4, 5}});
    check_kernel("cpu.rearrange", ops::PixelShuffle{3}, {{9, 4, 5}});
    check_dtypes("cpu.rearrange", ops::PixelUnshuffle{2}, {{2, 3, 4, 6}});
    check_kernel("cpu.rearrange", ops::PixelUnshuffle{3}, {{2, 5, 9, 12}}, {{ops::Add{1.0}, {}}});
    check_dtypes("cpu.gather", ops::ChannelShuffle{3}, {{2, 12, 4, 5}});
    check_kernel("cpu.gather", ops::ChannelShuffle{7}, {{2, 21, 4}});
}

TEST_CASE("views and identities copy where they cannot alias") {
    check_dtypes("cpu.view", ops::Flatten{}, {{2, 6, 4, 3}});
    check_dtypes("cpu.view", ops::Identity{}, {{2, 6}});
    check_kernel("cpu.view", ops::Flatten{}, {{2, 6, 4, 3}}, {{ops::ReLU{}, {}}, {ops::Add{}, {{72}}}});
}

TEST_CASE("reductions agree with the reference") {
    for (const IntList& dim : {IntList{2, 3}, IntList{0}, IntList{1}, IntList{3}, IntList{0, 2}, IntList{1, 3},
                               IntList{}, IntList{-1, 0, 1, 2}}) {
        check_kernel("cpu.reduce", ops::Mean{dim, false}, {{2, 21, 7, 9}});
        check_kernel("cpu.reduce", ops::Sum{dim, true}, {{2, 21, 7, 9}}, {{ops::Mul{0.5}, {}}});
    }
    check_kernel("cpu.reduce", ops::Mean{IntList{1}, false}, {{3, 5000}});
    check_kernel("cpu.reduce", ops::Mean{IntList{0}, false}, {{1, 5}});
    check_kernel("cpu.reduce", ops::Sum{}, {{7}});
}

TEST_CASE("Embedding agrees with the reference") {
    ops::Embedding embedding;
    embedding.num_embeddings = 10;
    embedding.embedding_dim = 6;
    for (const DType dtype : {DType::i64, DType::i32}) {
        KernelCase example(embedding, {{2, 9}}, {}, {dtype});
        CHECK(example.run_all() == std::vector<std::string>{"cpu.embedding"});
    }
}

TEST_CASE("GLU agrees with the reference over every dimension") {
    for (std::int64_t dim = 0; dim < 4; ++dim)
        check_kernel("cpu.glu", ops::GLU{dim}, {{2, 6, 4, 18}}, {{ops::ReLU{}, {}}});
    check_kernel("cpu.glu", ops::GLU{}, {{10000}});
}
