#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "graph/ops/activation.hpp"
#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/pool.hpp"
#include "graph/ops/reshape.hpp"
#include "graph/ops/softmax.hpp"
#include "kernels/cpu/cpu.hpp"
#include "tests/cpu/small_chain.hpp"

using namespace seq;
using namespace seq::test;

namespace {

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

Op linear(std::int64_t outputs, bool bias = true) {
    ops::Linear op;
    op.out_features = outputs;
    op.bias = bias;
    return op;
}

template <int N>
ops::Conv<N> convolution(std::int64_t outputs, IntList kernel, Padding padding = 0) {
    ops::Conv<N> op;
    op.out_channels = outputs;
    op.kernel_size = std::move(kernel);
    op.padding = std::move(padding);
    return op;
}

template <class Pool>
Pool pool(IntList kernel, IntList stride = {}, IntList padding = 0) {
    Pool op;
    op.kernel_size = std::move(kernel);
    op.stride = std::move(stride);
    op.padding = std::move(padding);
    return op;
}

template <class Pool>
Pool dilated(IntList kernel, IntList stride, IntList padding, IntList dilation) {
    Pool op = pool<Pool>(std::move(kernel), std::move(stride), std::move(padding));
    op.dilation = std::move(dilation);
    return op;
}

const std::vector<std::int64_t> batches{1, 2, 3, 5, 8, 13, 17, 29, 33};

}  // namespace

TEST_CASE("small nets of Linear layers agree with the reference for every batch and odd sizes") {
    const std::vector<std::vector<std::int64_t>> nets{
        {10, 50, 2}, {1, 1}, {3, 17, 33, 1}, {64, 32, 16}, {5, 100, 7, 31}};
    for (const auto& sizes : nets) {
        for (const std::int64_t batch : batches) {
            CAPTURE(batch);
            CAPTURE(sizes[0]);
            SmallChain chain({batch, sizes[0]}, 1);
            for (std::size_t i = 1; i < sizes.size(); ++i)
                chain.add(linear(sizes[i], i % 3 != 0),
                          i + 1 < sizes.size() ? std::vector<Op>{ops::ReLU{}} : std::vector<Op>{});
            chain.finish();
            check_chain(chain);
        }
    }
}

TEST_CASE("layers of few outputs agree with the reference for odd sizes, and NaN and Inf stay in their rows") {
    for (const std::int64_t outputs : {1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 19, 33}) {
        for (const std::int64_t features : {17, 31, 50, 64, 65, 127, 200, 515}) {
            for (const std::int64_t batch : {1, 7, 18}) {
                CAPTURE(outputs);
                CAPTURE(features);
                CAPTURE(batch);
                SmallChain chain({batch, features}, static_cast<unsigned>(outputs + features));
                if (batch > 1) {
                    chain.input()[static_cast<std::size_t>(2 * features - 1)] = nan_value;
                    chain.input()[static_cast<std::size_t>(3 * features)] = -infinity;
                }
                chain.add(linear(outputs, outputs % 3 != 0), {ops::ReLU6{}});
                chain.finish();
                check_chain(chain);
            }
        }
    }
}

TEST_CASE("activations of small nets follow the sums, alone or one after the other") {
    const std::vector<std::vector<Op>> epilogues{{ops::LeakyReLU{}},
                                                 {ops::Tanh{}},
                                                 {ops::Sigmoid{}},
                                                 {ops::GELU{}},
                                                 {ops::ReLU6{}},
                                                 {ops::SiLU{}},
                                                 {ops::ELU{}},
                                                 {ops::ReLU{}, ops::Tanh{}},
                                                 {ops::Hardtanh{0.25, 0.5}}};
    for (const auto& epilogue : epilogues) {
        CAPTURE(epilogue.front().name());
        SmallChain rows({3, 9}, 2);
        rows.add(epilogue.front());
        rows.add(linear(21), epilogue);
        rows.add(epilogue.front());
        rows.add(linear(5), epilogue);
        rows.finish();
        check_chain(rows);
        SmallChain pictures({2, 3, 7, 6}, 3);
        pictures.add(convolution<2>(5, 3, 1), epilogue);
        pictures.add(epilogue.front());
        pictures.add(pool<ops::MaxPool2d>(2), epilogue);
        pictures.add(ops::Flatten{});
        pictures.add(epilogue.front());
        pictures.add(linear(4), epilogue);
        pictures.finish();
        check_chain(pictures);
    }
}

TEST_CASE("a small net of convolutions agrees with the reference for every batch") {
    for (const std::int64_t batch : batches) {
        CAPTURE(batch);
        SmallChain chain({batch, 3, 16, 16}, 4);
        chain.add(convolution<2>(16, 3, 1), {ops::ReLU{}});
        chain.add(pool<ops::MaxPool2d>(2));
        chain.add(convolution<2>(32, 3, 1), {ops::ReLU{}});
        chain.add(pool<ops::MaxPool2d>(2));
        chain.add(ops::Flatten{});
        chain.add(linear(40), {ops::ReLU{}});
        chain.add(linear(10));
        chain.add(ops::Softmax{1});
        chain.finish();
        check_chain(chain);
    }
}

TEST_CASE("random small nets of pictures and of lengths agree with the reference") {
    for (unsigned seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        std::mt19937 generator(seed);
        const auto pick = [&](std::int64_t low, std::int64_t high) {
            return low + static_cast<std::int64_t>(generator() % static_cast<unsigned>(high - low + 1));
        };
        const bool flat_picture = seed % 3 == 0;
        std::vector<std::int64_t> input{pick(1, 6), pick(1, 20), pick(8, 19)};
        if (!flat_picture) input.push_back(pick(8, 21));
        SmallChain chain(input, seed);
        const std::int64_t layers = pick(1, 4);
        for (std::int64_t i = 0; i < layers; ++i) {
            const auto size = chain.sizes();
            const std::int64_t room = *std::min_element(size.begin() + 2, size.end());
            const std::int64_t kernel = pick(1, std::min<std::int64_t>(room, 5)), stride = pick(1, 3);
            const std::vector<Op> epilogue = pick(0, 1) == 0 ? std::vector<Op>{} : std::vector<Op>{ops::ReLU{}};
            const std::int64_t kind = pick(0, 3), outputs = pick(1, 40),
                               dilation = kernel * 2 - 1 <= room ? pick(1, 2) : 1;
            const auto convolve = [&]<int N>() {
                auto op = convolution<N>(outputs, kernel, pick(0, 2));
                op.stride = stride;
                op.dilation = dilation;
                op.bias = pick(0, 3) != 0;
                chain.add(op, epilogue);
            };
            if (kind >= 2 && i == 0) {
                flat_picture ? convolve.operator()<1>() : convolve.operator()<2>();
            } else if (kind >= 1) {
                flat_picture ? convolve.operator()<1>() : convolve.operator()<2>();
            } else if (pick(0, 1) == 0) {
                flat_picture ? chain.add(pool<ops::MaxPool1d>(kernel, stride, kernel / 2))
                             : chain.add(pool<ops::MaxPool2d>(kernel, stride, kernel / 2), epilogue);
            } else {
                flat_picture ? chain.add(pool<ops::AvgPool1d>(kernel, stride, kernel / 2), epilogue)
                             : chain.add(pool<ops::AvgPool2d>(kernel, stride, kernel / 2));
            }
        }
        flat_picture ? chain.add(convolution<1>(pick(1, 33), 1)) : chain.add(convolution<2>(pick(1, 33), 1));
        if (seed % 4 == 1 && !flat_picture) chain.add(ops::AdaptiveAvgPool2d{{2, 1}});
        if (seed % 2 == 0) {
            chain.add(ops::Flatten{});
            chain.add(linear(pick(1, 50)), {ops::Tanh{}});
        }
        chain.finish();
        check_chain(chain);
    }
}

TEST_CASE("windows of a small net that begin later than those after them find what was multiplied for them") {
    struct Window {
        std::int64_t kernel, stride, padding, dilation;
    };
    for (const auto& [kernel, stride, padding, dilation] :
         {Window{2, 1, 1, 2}, {3, 1, 1, 2}, {3, 2, 1, 3}, {2, 2, 1, 3}, {4, 1, 2, 3}, {5, 2, 2, 2}, {2, 1, 1, 5}}) {
        for (const std::int64_t batch : {1, 3, 16}) {
            CAPTURE(kernel);
            CAPTURE(stride);
            CAPTURE(dilation);
            CAPTURE(batch);
            SmallChain chain({batch, 3, 24, 23}, 7);
            chain.add(convolution<2>(9, 1), {ops::ReLU{}});
            chain.add(dilated<ops::MaxPool2d>(kernel, stride, padding, dilation));
            chain.add(convolution<2>(4, 3, 1));
            chain.finish();
            check_chain(chain);
            SmallChain flat({batch, 2, 40}, 8);
            flat.add(convolution<1>(9, 3, 1));
            flat.add(dilated<ops::MaxPool1d>(kernel, stride, padding, dilation));
            flat.finish();
            check_chain(flat);
        }
    }
}

TEST_CASE("convolutions of a small net that take Winograd's form agree with the reference, with NaN and Inf too") {
    for (const std::int64_t batch : {1, 2, 9}) {
        for (const bool finite : {true, false}) {
            CAPTURE(batch);
            CAPTURE(finite);
            SmallChain chain({batch, 3, 16, 15}, 11);
            if (!finite) {
                chain.input()[60] = nan_value;
                chain.input()[chain.input().size() - 200] = infinity;
            }
            chain.add(convolution<2>(32, 3, 1), {ops::ReLU{}});
            chain.add(convolution<2>(40, 3, 1), {ops::GELU{}});
            chain.add(pool<ops::MaxPool2d>(3, 2, 1));
            chain.add(convolution<2>(33, 3, 1), {ops::ReLU6{}});
            chain.add(convolution<2>(8, 5, 2));
            chain.add(convolution<2>(64, 3, 1));
            chain.add(convolution<2>(48, 3));
            chain.finish();
            if (cpu_backend().isa != Isa::scalar) {
                std::string refusal;
                const auto kernel = chain.prepare(options_of(cpu_backend().isa, 1), refusal);
                INFO(kernel->description);
                CHECK(kernel->description.find("Winograd in ") != std::string::npos);
                CHECK(!kernel->ignores_nonfinite);
            }
            check_chain(chain);
        }
    }
}

TEST_CASE("products whose largest of 2x2 are taken in registers agree with the reference, with NaN and Inf too") {
    for (const std::vector<std::int64_t>& sizes :
         {std::vector<std::int64_t>{1, 3, 8, 8}, {3, 1, 9, 5}, {2, 5, 21, 34}, {1, 2, 5, 43}, {9, 16, 15, 18}}) {
        for (const std::int64_t outputs : {1, 16, 23, 32, 40}) {
            for (const bool finite : {true, false}) {
                CAPTURE(sizes[3]);
                CAPTURE(outputs);
                CAPTURE(finite);
                SmallChain chain(sizes, static_cast<unsigned>(outputs));
                if (!finite) {
                    chain.input()[7] = nan_value;
                    chain.input()[chain.input().size() / 2] = infinity;
                    chain.input()[chain.input().size() - 9] = -infinity;
                }
                chain.add(convolution<2>(outputs, 3, 1), {ops::ReLU6{}});
                chain.add(pool<ops::MaxPool2d>(2), {ops::Tanh{}});
                auto strided = convolution<2>(17, IntList{1, 3}, 1);
                strided.stride = IntList{1, 2};
                chain.add(outputs % 2 == 0 ? convolution<2>(33, 3, 1) : strided, {ops::Hardtanh{-0.5, 2}});
                if (chain.sizes()[2] > 1 && chain.sizes()[3] > 1) chain.add(pool<ops::MaxPool2d>(2));
                chain.add(ops::Flatten{});
                chain.add(linear(3));
                chain.finish();
                check_chain(chain);
            }
        }
    }
}

TEST_CASE("NaN and Inf come through a small net as through the reference") {
    for (const std::int64_t batch : {1, 9}) {
        SmallChain rows({batch, 30}, 5);
        rows.input()[3] = nan_value;
        rows.input()[rows.input().size() / 2] = infinity;
        rows.input()[rows.input().size() - 1] = -infinity;
        rows.add(linear(20), {ops::ReLU{}});
        rows.add(linear(6), {ops::ReLU6{}});
        rows.finish();
        check_chain(rows);
        SmallChain pictures({batch, 2, 12, 12}, 6);
        pictures.input()[5] = nan_value;
        pictures.input()[100] = infinity;
        pictures.input()[pictures.input().size() - 20] = -infinity;
        pictures.add(convolution<2>(18, 3, 1), {ops::ReLU{}});
        pictures.add(pool<ops::MaxPool2d>(2));
        pictures.add(convolution<2>(5, 3, 1), {ops::LeakyReLU{}});
        pictures.add(pool<ops::AvgPool2d>(3, 1));
        pictures.finish();
        check_chain(pictures);
    }
}

TEST_CASE("weights that padding would spread are refused, and strict numerics too") {
    SmallChain chain({1, 2, 5, 5}, 7);
    chain.add(convolution<2>(3, 3, 1));
    chain.finish();
    const Value& weight = *chain.graph().first_node()->parameter("weight");
    auto tensor = std::make_shared<Tensor>(DType::f32, *weight.type.shape.sizes());
    tensor->data<float>()[4] = infinity;
    chain.weights().set(weight, tensor);
    std::string refusal;
    CHECK(chain.prepare(options_of(Isa::avx512, 1), refusal) == nullptr);
    CHECK(refusal.find("NaN") != std::string::npos);
    ComputeOptions strict = options_of(Isa::avx512, 1);
    strict.numerics = Numerics::strict;
    CHECK(chain.matched(strict) == 0);
}

TEST_CASE("a chain ends before what it does not take") {
    SmallChain grouped({1, 4, 6, 6}, 8);
    auto conv = convolution<2>(4, 3);
    grouped.add(conv);
    conv.groups = 2;
    grouped.add(conv);
    grouped.finish();
    CHECK(grouped.matched({}) == 0);  // in the middle of pictures
    SmallChain rows({4, 6}, 9);
    rows.add(linear(5));
    rows.add(ops::Softmax{0});
    rows.finish();
    CHECK(rows.matched({}) == 1);
    SmallChain large({1, 2048}, 10);
    large.add(linear(2048));
    large.finish();
    CHECK(large.matched({}) == 0);
}
