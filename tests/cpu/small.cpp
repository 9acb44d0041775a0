#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
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
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/small/small_net.hpp"
#include "kernels/reference/reference.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::MemoryWeights;

namespace {

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

/// A chain of layers with random numbers, and what the reference makes of it.
class Chain {
   public:
    Chain(std::vector<std::int64_t> input, unsigned seed) : generator_(seed) {
        value_ = graph_.add_input("x", {DType::f32, Shape(std::vector<Dim>(input.begin(), input.end()))});
        data_.emplace_back(DType::f32, input);
        fill(data_.back());
    }

    void add(Op op, std::vector<Op> epilogue = {}) {
        NodeSpec spec;
        spec.op = std::move(op);
        spec.inputs = {value_};
        spec.name = spec.parameter_prefix = std::to_string(graph_.node_count());
        for (Op& post : epilogue) spec.epilogue.push_back({std::move(post), {}, 0});
        const Node* node = graph_.add(std::move(spec));
        for (const Value* parameter : node->parameters()) {
            auto tensor = std::make_shared<Tensor>(DType::f32, *parameter->type.shape.sizes());
            fill(*tensor);
            weights_.set(*parameter, tensor);
        }
        value_ = node->output();
    }

    std::vector<std::int64_t> sizes() const { return *value_->type.shape.sizes(); }
    std::span<float> input() { return data_.front().data<float>(); }
    MemoryWeights& weights() { return weights_; }
    const Graph& graph() const { return graph_; }

    /// Gives the chain its output; nothing is added afterwards.
    void finish() { graph_.set_outputs({value_}, {"y"}); }

    /// How many of the nodes are matched from the first one on.
    std::size_t matched(const ComputeOptions& options) const {
        return cpu::small_net_kernel().match(graph_, *graph_.first_node(), options).size();
    }

    std::unique_ptr<PreparedKernel> prepare(const ComputeOptions& options, std::string& refusal) {
        GroupRequest request;
        request.nodes = cpu::small_net_kernel().match(graph_, *graph_.first_node(), options);
        REQUIRE(request.nodes.size() == graph_.node_count());
        request.values = {graph_.inputs()[0]};
        request.inputs = {{DType::f32, *graph_.inputs()[0]->type.shape.sizes(), {}}};
        request.outputs = {{DType::f32, sizes(), {}}};
        request.options = options;
        return cpu::small::prepare_small_net(request, weights_, cpu::small::Workers::all, refusal);
    }

    /// Runs the whole chain as one routine, twice, in scratch memory full of NaN.
    Tensor run(const ComputeOptions& options) {
        std::string refusal;
        const auto kernel = prepare(options, refusal);
        CAPTURE(refusal);
        REQUIRE(kernel != nullptr);
        INFO(kernel->description);
        Tensor scratch(DType::f32, {static_cast<std::int64_t>(kernel->scratch_bytes / sizeof(float)) + 1});
        Tensor result(DType::f32, sizes());
        void* inputs[] = {data_.front().view().data};
        void* outputs[] = {result.view().data};
        RunContext context;
        context.inputs = inputs;
        context.outputs = outputs;
        context.scratch = scratch.view().as<std::byte>();
        context.nonfinite =
            std::any_of(input().begin(), input().end(), [](float value) { return !std::isfinite(value); });
        for (int i = 0; i < 2; ++i) {
            for (float& number : scratch.data<float>()) number = nan_value;
            kernel->run(context);
        }
        return result;
    }

    Tensor expected() {
        std::vector<Tensor> results;
        TensorView current = data_.front();
        for (const Node* node = graph_.first_node(); node != nullptr; node = node->next) {
            std::vector<TensorView> inputs{current};
            for (const Value* parameter : node->parameters()) inputs.push_back(weights_.view(*parameter));
            results.emplace_back(DType::f32, *node->output()->type.shape.sizes());
            const std::vector<TensorView> outputs{results.back()};
            reference::run(*node, inputs, outputs);
            current = results.back();
        }
        return std::move(results.back());
    }

   private:
    void fill(Tensor& tensor) {
        std::normal_distribution<float> normal;
        const std::int64_t row = tensor.element_count() / tensor.sizes()[0];
        const float scale = tensor.sizes().size() > 1 && !data_.empty() ? 1 / std::sqrt(static_cast<float>(row)) : 1;
        for (float& value : tensor.data<float>()) value = normal(generator_) * scale;
    }

    Graph graph_;
    Value* value_ = nullptr;
    std::mt19937 generator_;
    std::vector<Tensor> data_;
    MemoryWeights weights_;
};

void check_equal(const Tensor& expected, const Tensor& actual) {
    double largest = 1e-3;
    for (const float value : expected.data<float>()) {
        if (std::isfinite(value)) largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    std::int64_t wrong = -1;
    const auto a = expected.data<float>(), b = actual.data<float>();
    for (std::size_t i = 0; i < a.size() && wrong < 0; ++i) {
        const bool same = std::isnan(a[i])   ? std::isnan(b[i])
                          : std::isinf(a[i]) ? a[i] == b[i]
                                             : std::abs(static_cast<double>(a[i]) - b[i]) <= 2e-5 * largest;
        if (!same) wrong = static_cast<std::int64_t>(i);
    }
    CHECK(wrong == -1);
}

ComputeOptions options_of(Isa isa, int threads) {
    ComputeOptions options;
    options.isa = isa;
    options.threads = threads;
    return options;
}

/// Every instruction set, one thread and several.
void check_chain(Chain& chain) {
    const Tensor expected = chain.expected();
    for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
        for (const int threads : {1, 2, 3}) {
            CAPTURE(static_cast<int>(isa));
            CAPTURE(threads);
            check_equal(expected, chain.run(options_of(isa, threads)));
        }
    }
}

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

const std::vector<std::int64_t> batches{1, 2, 3, 5, 8, 13, 17, 29, 33};

}  // namespace

TEST_CASE("small nets of Linear layers agree with the reference for every batch and odd sizes") {
    const std::vector<std::vector<std::int64_t>> nets{
        {10, 50, 2}, {1, 1}, {3, 17, 33, 1}, {64, 32, 16}, {5, 100, 7, 31}};
    for (const auto& sizes : nets) {
        for (const std::int64_t batch : batches) {
            CAPTURE(batch);
            CAPTURE(sizes[0]);
            Chain chain({batch, sizes[0]}, 1);
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
                Chain chain({batch, features}, static_cast<unsigned>(outputs + features));
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
        Chain rows({3, 9}, 2);
        rows.add(epilogue.front());
        rows.add(linear(21), epilogue);
        rows.add(epilogue.front());
        rows.add(linear(5), epilogue);
        rows.finish();
        check_chain(rows);
        Chain pictures({2, 3, 7, 6}, 3);
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
        Chain chain({batch, 3, 16, 16}, 4);
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
        Chain chain(input, seed);
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

TEST_CASE("convolutions of a small net that take Winograd's form agree with the reference, with NaN and Inf too") {
    for (const std::int64_t batch : {1, 2, 9}) {
        for (const bool finite : {true, false}) {
            CAPTURE(batch);
            CAPTURE(finite);
            Chain chain({batch, 3, 16, 15}, 11);
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

TEST_CASE("NaN and Inf come through a small net as through the reference") {
    for (const std::int64_t batch : {1, 9}) {
        Chain rows({batch, 30}, 5);
        rows.input()[3] = nan_value;
        rows.input()[rows.input().size() / 2] = infinity;
        rows.input()[rows.input().size() - 1] = -infinity;
        rows.add(linear(20), {ops::ReLU{}});
        rows.add(linear(6), {ops::ReLU6{}});
        rows.finish();
        check_chain(rows);
        Chain pictures({batch, 2, 12, 12}, 6);
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
    Chain chain({1, 2, 5, 5}, 7);
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
    Chain grouped({1, 4, 6, 6}, 8);
    auto conv = convolution<2>(4, 3);
    grouped.add(conv);
    conv.groups = 2;
    grouped.add(conv);
    grouped.finish();
    CHECK(grouped.matched({}) == 0);  // in the middle of pictures
    Chain rows({4, 6}, 9);
    rows.add(linear(5));
    rows.add(ops::Softmax{0});
    rows.finish();
    CHECK(rows.matched({}) == 1);
    Chain large({1, 2048}, 10);
    large.add(linear(2048));
    large.finish();
    CHECK(large.matched({}) == 0);
}
