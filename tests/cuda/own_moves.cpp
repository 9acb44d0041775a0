#include <doctest/doctest.h>

#include <limits>

#include "graph/op_table.hpp"
#include "kernels/cuda/own/move_walk.hpp"
#include "kernels/cuda/own/reorder.hpp"
#include "tests/cuda/own_case.hpp"

using namespace seq;
using seq::test::check_own;
using seq::test::OwnCase;

namespace {

const std::vector<DType> dtypes{DType::f32, DType::i64, DType::i32, DType::i8, DType::u8, DType::boolean};

/// In every dtype.
void check_moves(const std::string& kernel, const Op& op, const std::vector<std::vector<std::int64_t>>& inputs) {
    for (const DType dtype : dtypes) {
        CAPTURE(name_of(dtype));
        check_own(kernel, op, inputs, {}, std::vector<DType>(inputs.size(), dtype));
    }
}

}  // namespace

TEST_CASE("CUDA concat, split and slice along every dimension") {
    for (const std::int64_t dim : {0, 1, 2, 3, -1}) {
        CAPTURE(dim);
        std::vector<std::vector<std::int64_t>> inputs(3, {2, 5, 3, 4});
        const auto at = static_cast<std::size_t>(dim < 0 ? dim + 4 : dim);
        inputs[1][at] = 1;
        inputs[2][at] = 7;
        check_moves("cuda.rearrange", ops::Concat{dim}, inputs);
        std::vector<std::int64_t> whole{2, 5, 3, 4};
        whole[at] = 8;
        check_moves("cuda.rearrange", ops::Split{IntList{1, 3, 4}, dim}, {whole});
        check_moves("cuda.rearrange", ops::Slice{dim, 1, std::nullopt, 3}, {whole});
        check_moves("cuda.rearrange", ops::Slice{dim, -3, -1, 1}, {whole});
    }
    check_moves("cuda.rearrange", ops::Concat{0}, {{7}});
    check_moves("cuda.rearrange", ops::Concat{1}, {{2, 8, 3, 4}, {2, 16, 3, 4}});
}

TEST_CASE("CUDA permutations") {
    using Ints = IntList;
    check_moves("cuda.rearrange", ops::Permute{Ints{0, 2, 3, 1}}, {{2, 5, 3, 4}});
    check_moves("cuda.rearrange", ops::Permute{Ints{3, 1, 0, 2}}, {{2, 5, 3, 4}});
    check_moves("cuda.rearrange", ops::Permute{Ints{0, 1, 2}}, {{2, 5, 3}});
    check_moves("cuda.rearrange", ops::Permute{Ints{7, 6, 5, 4, 3, 2, 1, 0}}, {{2, 1, 3, 2, 1, 2, 3, 2}});
    check_moves("cuda.rearrange", ops::Transpose{1, 2}, {{3, 37, 70}});
    check_moves("cuda.rearrange", ops::Transpose{0, 1}, {{33, 65}});
    check_moves("cuda.rearrange", ops::Transpose{0, 2}, {{4, 6, 8}});
}

TEST_CASE("CUDA shuffles") {
    check_moves("cuda.rearrange", ops::PixelShuffle{2}, {{2, 12, 3, 5}});
    check_moves("cuda.rearrange", ops::PixelShuffle{3}, {{9, 2, 3}});
    check_moves("cuda.rearrange", ops::PixelUnshuffle{2}, {{2, 3, 6, 4}});
    check_moves("cuda.rearrange", ops::PixelUnshuffle{3}, {{2, 2, 1, 6, 3}});
    check_moves("cuda.rearrange", ops::ChannelShuffle{3}, {{2, 15, 3, 2}});
    check_moves("cuda.rearrange", ops::ChannelShuffle{2}, {{2, 6, 5}});
}

TEST_CASE("CUDA pads in every mode") {
    using Ints = IntList;
    for (const Ints& padding : {Ints{1, 2, 0, 3}, Ints{2, 0, 1, 1}, Ints{-1, 2, 1, -1}, Ints{0, 0, 0, 0}}) {
        const std::vector<std::vector<std::int64_t>> input{{2, 5, 4, 5}};
        check_moves("cuda.pad", ops::ZeroPad2d{padding}, input);
        check_moves("cuda.pad", ops::ConstantPad2d{padding, 3.0}, input);
        check_moves("cuda.pad", ops::ReflectionPad2d{padding}, input);
        check_moves("cuda.pad", ops::ReplicationPad2d{padding}, input);
        check_moves("cuda.pad", ops::CircularPad2d{padding}, input);
    }
    check_own("cuda.pad", ops::ConstantPad1d{Ints{2, 3}, -0.5}, {{2, 3, 7}});
    check_own("cuda.pad", ops::ConstantPad3d{Ints{1, 0, 2, 1, 0, 1}, -0.5}, {{2, 3, 2, 3, 4}});
    check_own("cuda.pad", ops::ZeroPad1d{Ints{1, 1}}, {{5}});
    check_own("cuda.pad", ops::ZeroPad2d{1}, {{2, 3}});
    check_own("cuda.pad", ops::CircularPad1d{Ints{7, 7}}, {{2, 3, 7}});
}

TEST_CASE("CUDA views and identities") {
    check_moves("cuda.view", ops::Flatten{}, {{2, 5, 3, 4}});
    check_moves("cuda.view", ops::Identity{}, {{2, 5, 3, 4}});
    check_moves("cuda.view", ops::Dropout{}, {{7}});
}

TEST_CASE("CUDA constants as data are taken as they are") {
    for (const std::size_t constant : {0u, 1u}) {
        OwnCase concat(ops::Concat{1}, {{2, 5, 3, 4}, {2, 3, 3, 4}}, {}, {}, {constant});
        CHECK(concat.run().size() == 1);
        OwnCase sum(ops::Add{}, {{2, 5, 3, 4}, {2, 5, 3, 4}}, {}, {}, {constant});
        CHECK(sum.run().size() == 1);
    }
    CHECK(OwnCase(ops::MaxPool2d{2}, {{2, 5, 4, 4}}, {}, {}, {0}).run().size() == 1);
    CHECK(OwnCase(ops::Conv2d{.out_channels = 9, .kernel_size = 3}, {{2, 5, 4, 4}}, {}, {}, {0}).run().size() == 1);
    CHECK(OwnCase(ops::Softmax{1}, {{2, 5, 4, 4}}, {}, {}, {0}).run().size() == 1);
}

TEST_CASE("CUDA transposes fill rows that are longer than what is in them with zeros") {
    test::ImmediateQueue queue;
    const std::int64_t batch = 2, rows = 35, columns = 33, row = 40;
    std::vector<float> from(static_cast<std::size_t>(batch * rows * columns));
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<float>(i) + 1;
    std::vector<float> to(static_cast<std::size_t>(batch * columns * row), -1);
    using cuda::own::Storage;
    cuda::own::launch_transpose(
        queue, {from.data(), Storage::f32, to.data(), Storage::f32, batch, rows, columns, columns, row});
    std::int64_t wrong = 0;
    for (std::int64_t n = 0; n < batch; ++n)
        for (std::int64_t c = 0; c < columns; ++c)
            for (std::int64_t r = 0; r < row; ++r) {
                const float expected = r < rows ? from[static_cast<std::size_t>((n * rows + r) * columns + c)] : 0.0f;
                if (to[static_cast<std::size_t>((n * columns + c) * row + r)] != expected) ++wrong;
            }
    CHECK(wrong == 0);
}
