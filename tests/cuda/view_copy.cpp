#include "kernels/cuda/own/view_copy.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/edge_copy.hpp"
#include "graph/convert.hpp"
#include "graph/convert_tensor.hpp"
#include "tests/cuda/own_case.hpp"

using namespace seq;

namespace {

/// Where the elements of a view lie in memory: at `first`, and so far apart.
struct Lie {
    std::vector<std::int64_t> strides;
    std::int64_t first = 0;
};

constexpr std::int64_t room = 8192;

/// Numbers of `dtype`, and what has no like of it in others.
struct Memory {
    Memory(DType dtype, int seed) : dtype(dtype), bytes(DType::u8, {room * static_cast<std::int64_t>(size_of(dtype))}) {
        std::vector<double> numbers(room);
        for (std::size_t i = 0; i < numbers.size(); ++i)
            numbers[i] = std::sin(static_cast<double>(i) + seed) * std::exp2(static_cast<double>(i % 37) - 18);
        const double odd[] = {1e300, -1e300, 1e-300, 65520.0, 1e-7, INFINITY, -INFINITY, NAN, -0.0};
        for (std::size_t i = 0; i < std::size(odd); ++i) numbers[i * 11] = odd[i];
        if (is_float(dtype)) {
            convert_floats(numbers.data(), DType::f64, bytes.view().data, dtype, room);
            return;
        }
        for (std::int64_t i = 0; i < bytes.element_count(); ++i)
            bytes.data<std::uint8_t>()[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i * 7 + seed);
    }
    TensorView view(const std::vector<std::int64_t>& sizes, const Lie& lie) const {
        TensorView view = TensorView::dense(nullptr, dtype, sizes);
        if (!lie.strides.empty()) std::copy(lie.strides.begin(), lie.strides.end(), view.strides.begin());
        view.data = bytes.view().as<std::byte>() + lie.first * static_cast<std::int64_t>(size_of(dtype));
        return view;
    }

    DType dtype;
    Tensor bytes;
};

/// All of the target's memory is as the host would make it.
void check(const std::vector<std::int64_t>& sizes, DType from, const Lie& from_lies, DType to, const Lie& to_lies) {
    CAPTURE(name_of(from));
    CAPTURE(name_of(to));
    const Memory source(from, 1);
    const Memory found(to, 2), expected(to, 2);
    const TensorView view = source.view(sizes, from_lies);
    const Tensor dense(from, sizes), converted(to, sizes);
    copy_elements(view, dense);
    REQUIRE(convert(dense, converted));
    copy_elements(converted, expected.view(sizes, to_lies));
    test::ImmediateQueue queue;
    cuda::own::copy_view(queue, view, found.view(sizes, to_lies));
    CHECK(std::memcmp(found.bytes.view().data, expected.bytes.view().data, found.bytes.byte_count()) == 0);
}

/// In every pair of dtypes that ports and plans have, both ways.
void check_all(const std::vector<std::int64_t>& sizes, const Lie& lie, bool repeats = false) {
    for (const DType dtype : {DType::f16, DType::bf16, DType::f64, DType::f32}) {
        for (const std::int64_t first : {0, 1, 3}) {
            const Lie dense{{}, first}, moved{lie.strides, lie.first + first};
            check(sizes, dtype, moved, DType::f32, {});
            if (!repeats) check(sizes, DType::f32, dense, dtype, moved);
        }
    }
    for (const DType dtype : {DType::i64, DType::i32, DType::u8, DType::boolean}) {
        check(sizes, dtype, lie, dtype, {});
        if (!repeats) check(sizes, dtype, {}, dtype, lie);
    }
}

}  // namespace

TEST_CASE("CUDA copies of dense views into other dtypes") {
    check_all({3, 5, 7}, {});
    check_all({4, 16}, {});
    check_all({}, {});
    check_all({0, 4}, {});
}

TEST_CASE("CUDA copies of views in PyTorch's channels_last") {
    const auto last = [](std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
        check_all({n, c, h, w}, {{c * h * w, 1, w * c, c}});
    };
    last(2, 3, 5, 7);
    last(2, 40, 9, 5);
    last(1, 9, 8, 8);
    last(3, 8, 2, 4);
    last(2, 1, 4, 4);
    last(2, 16, 1, 1);
    check_all({2, 16, 3, 3, 2}, {{16 * 18, 1, 16 * 6, 32, 16}});
}

TEST_CASE("CUDA copies of views that are transposed, cut out, repeated or backwards") {
    check_all({9, 33}, {{1, 9}});
    check_all({9, 33}, {{1, 12}});
    check_all({33, 9}, {{12, 1}, 5});
    check_all({2, 20, 9}, {{400, 1, 20}});
    check_all({2, 20, 9}, {{180, 1, 25}});
    check_all({4, 6, 5}, {{100, 3, 20}, 1});
    check_all({5, 4}, {{-4, 1}, 16});
    check_all({5, 8}, {{8, -1}, 7});
    check_all({5, 8}, {{0, 1}}, true);
    check_all({5, 8}, {{1, 0}}, true);
    check_all({3, 16, 16}, {{0, 1, 16}}, true);
    check_all({2, 2, 2, 2, 2, 2, 2, 2}, {{1, 2, 4, 8, 16, 32, 64, 128}});
}
