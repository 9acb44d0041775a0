#include <doctest/doctest.h>

#include <random>

#include "tests/ops/support.hpp"

namespace seq::tests {
namespace {

using Random = std::mt19937;

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

/// Counts the windows one after another. In ceil mode the last one may reach past the padding's end, as long as it
/// starts in the input or in the padding before it.
std::int64_t count_windows(std::int64_t size, const ops::Window& window) {
    const std::int64_t extent = window.dilation * (window.kernel - 1) + 1;
    const std::int64_t padded = size + window.pad_before + window.pad_after;
    std::int64_t count = 0;
    for (std::int64_t start = 0; start + extent <= padded; start += window.stride) ++count;
    if (!window.ceil_mode) return count;
    const std::int64_t covered = count == 0 ? 0 : (count - 1) * window.stride + extent;
    const std::int64_t next = count * window.stride;
    if (covered < padded && next < size + window.pad_before) return count + 1;
    const std::int64_t last = (count - 1) * window.stride;
    return count > 0 && last >= size + window.pad_before ? count - 1 : count;
}

ops::Window random_window(Random& random) {
    ops::Window window{pick(random, 1, 6), pick(random, 1, 5), pick(random, 1, 4)};
    const std::int64_t half = (window.dilation * (window.kernel - 1) + 1) / 2;
    window.pad_before = window.pad_after = pick(random, 0, half);
    window.ceil_mode = pick(random, 0, 1) == 1;
    return window;
}

TEST_CASE("the number of windows is that of counting them, for numbers and for symbols") {
    Random random(7);
    for (int trial = 0; trial < 3000; ++trial) {
        const ops::Window window = random_window(random);
        const Dim symbolic = ops::window_count(Dim::symbol("L"), window);
        for (std::int64_t size = 1; size < 40; ++size) {
            const std::int64_t expected = count_windows(size, window);
            const Dim count = ops::window_count(size, window);
            REQUIRE(count.is_constant());
            const std::int64_t extent = window.dilation * (window.kernel - 1) + 1;
            const bool fits = extent <= size + 2 * window.pad_before;
            CAPTURE(window.kernel);
            CAPTURE(window.stride);
            CAPTURE(window.dilation);
            CAPTURE(window.pad_before);
            CAPTURE(window.ceil_mode);
            CAPTURE(size);
            if (fits) CHECK(count.value() == expected);
            if (!fits && !window.ceil_mode) CHECK(count.value() <= 0);
            CHECK(symbolic.evaluate({{"L", size}}) == count.value());
        }
    }
}

/// The positions that a transposed convolution writes: the furthest one, and what is cut and added.
std::int64_t spread_size(std::int64_t size, const ops::ConvTranspose1d& op) {
    std::int64_t furthest = 0;
    for (std::int64_t i = 0; i < size; ++i)
        for (std::int64_t k = 0; k < op.kernel_size.at(0); ++k)
            furthest = std::max(furthest, i * op.stride.at(0) + k * op.dilation.at(0));
    return furthest + 1 - 2 * op.padding.at(0) + op.output_padding.at(0);
}

TEST_CASE("a transposed convolution's size is that of the positions it writes") {
    Random random(8);
    for (int trial = 0; trial < 500; ++trial) {
        ops::ConvTranspose1d op{.out_channels = 1, .kernel_size = pick(random, 1, 5), .stride = pick(random, 1, 4)};
        op.padding = pick(random, 0, 3);
        op.dilation = pick(random, 1, 3);
        op.output_padding = pick(random, 0, std::max(op.stride.at(0), op.dilation.at(0)) - 1);
        const Inference symbolic = infer_shape(op, {1, 1, "L"});
        for (std::int64_t size = 1; size < 12; ++size) {
            const std::int64_t expected = spread_size(size, op);
            const Inference inference = infer_shape(op, {1, 1, size});
            CHECK(codes(inference) == (expected >= 1 ? "" : "shape/empty"));
            if (expected >= 1) {
                CHECK(inference.outputs[0].shape[2] == Dim(expected));
                CHECK(symbolic.outputs[0].shape[2].evaluate({{"L", size}}) == expected);
            }
        }
    }
}

TEST_CASE("the layers hand their options to the window") {
    const auto last = [](const Inference& inference) { return output_shape(inference); };
    CHECK(last(infer_shape(ops::Conv1d{.out_channels = 4, .kernel_size = 3, .stride = 2, .padding = 1}, {2, 3, 9})) ==
          "[2, 4, 5]");
    CHECK(last(infer_shape(
              ops::Conv2d{
                  .out_channels = 4, .kernel_size = {3, 5}, .stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}},
              {2, 3, 9, 11})) == "[2, 4, 5, 3]");
    CHECK(last(infer_shape(ops::Conv2d{.out_channels = 4, .kernel_size = {4, 3}, .padding = "same", .dilation = {1, 3}},
                           {2, 3, 9, 11})) == "[2, 4, 9, 11]");
    CHECK(last(infer_shape(ops::Conv2d{.out_channels = 4, .kernel_size = 3, .padding = "valid"}, {2, 3, 9, 11})) ==
          "[2, 4, 7, 9]");
    CHECK(last(infer_shape(ops::MaxPool2d{.kernel_size = 2}, {2, 3, 9, 11})) == "[2, 3, 4, 5]");
    CHECK(last(infer_shape(ops::MaxPool2d{.kernel_size = {3, 2}, .ceil_mode = true}, {2, 3, 10, 11})) ==
          "[2, 3, 4, 6]");
    CHECK(last(infer_shape(ops::MaxPool1d{.kernel_size = 3, .stride = 2, .padding = 1, .dilation = 2}, {2, 3, 10})) ==
          "[2, 3, 4]");
    CHECK(last(infer_shape(ops::AvgPool3d{.kernel_size = 2, .stride = 3}, {2, 3, 5, 6, 7})) == "[2, 3, 2, 2, 2]");
    CHECK(last(infer_shape(ops::LPPool2d{.norm_type = 2, .kernel_size = 2}, {2, 3, 5, 6})) == "[2, 3, 2, 3]");
    CHECK(last(infer_shape(ops::Conv2d{.out_channels = 4, .kernel_size = 3, .stride = 2, .padding = 1},
                           {"N", 3, "H", 32})) == "[N, 4, floor((H + 1) / 2), 16]");
}

TEST_CASE("formulas have the numbers put in") {
    const auto formula = [](Op op, Shape shape, std::size_t i) {
        const Inference inference = infer_shape(std::move(op), std::move(shape), {}, true);
        REQUIRE(i < inference.formulas.size());
        return inference.formulas[i].second;
    };
    CHECK(formula(ops::MaxPool1d{.kernel_size = 3, .stride = 2, .padding = 1}, {1, 1, 224}, 0) ==
          "floor((224 + 2·1 - 3) / 2) + 1");
    CHECK(formula(ops::MaxPool1d{.kernel_size = 3, .stride = 1}, {1, 1, "L"}, 0) == "L - 3 + 1");
    CHECK(formula(ops::MaxPool1d{.kernel_size = 3, .stride = 2, .ceil_mode = true}, {1, 1, 7}, 0) ==
          "ceil((7 - 3) / 2) + 1");
    CHECK(formula(ops::MaxPool1d{.kernel_size = 2, .stride = 3, .padding = 1, .ceil_mode = true}, {1, 1, 7}, 0) ==
          "ceil((7 + 1) / 3)");
    CHECK(formula(ops::Conv1d{.out_channels = 2, .kernel_size = 3, .dilation = 4}, {1, 1, 20}, 1) ==
          "20 - 4·(3 - 1) - 1 + 1");
    CHECK(formula(
              ops::ConvTranspose1d{.out_channels = 2, .kernel_size = 3, .stride = 2, .padding = 1, .output_padding = 1},
              {1, 1, 7}, 1) == "(7 - 1)·2 - 2·1 + 3 + 1");
}

}  // namespace
}  // namespace seq::tests
