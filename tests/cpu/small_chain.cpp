#include "tests/cpu/small_chain.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/small/small_net.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::test {
namespace {

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

}  // namespace

SmallChain::SmallChain(std::vector<std::int64_t> input, unsigned seed) : generator_(seed) {
    value_ = graph_.add_input("x", {DType::f32, Shape(std::vector<Dim>(input.begin(), input.end()))});
    data_.emplace_back(DType::f32, input);
    fill(data_.back());
}

void SmallChain::add(Op op, std::vector<Op> epilogue) {
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

std::size_t SmallChain::matched(const ComputeOptions& options) const {
    return cpu::small_net_kernel().match(graph_, *graph_.first_node(), options).size();
}

std::unique_ptr<PreparedKernel> SmallChain::prepare(const ComputeOptions& options, std::string& refusal) {
    GroupRequest request;
    request.nodes = cpu::small_net_kernel().match(graph_, *graph_.first_node(), options);
    REQUIRE(request.nodes.size() == graph_.node_count());
    request.values = {graph_.inputs()[0]};
    request.inputs = {{DType::f32, *graph_.inputs()[0]->type.shape.sizes(), {}}};
    request.outputs = {{DType::f32, sizes(), {}}};
    request.options = options;
    return cpu::small::prepare_small_net(request, weights_, cpu::small::Workers::all, refusal);
}

Tensor SmallChain::run(const ComputeOptions& options) {
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
    context.nonfinite = std::any_of(input().begin(), input().end(), [](float value) { return !std::isfinite(value); });
    for (int i = 0; i < 2; ++i) {
        for (float& number : scratch.data<float>()) number = std::numeric_limits<float>::quiet_NaN();
        kernel->run(context);
    }
    return result;
}

Tensor SmallChain::expected() {
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

void SmallChain::fill(Tensor& tensor) {
    std::normal_distribution<float> normal;
    const std::int64_t row = tensor.element_count() / tensor.sizes()[0];
    const float scale = tensor.sizes().size() > 1 && !data_.empty() ? 1 / std::sqrt(static_cast<float>(row)) : 1;
    for (float& value : tensor.data<float>()) value = normal(generator_) * scale;
}

ComputeOptions options_of(Isa isa, int threads) {
    ComputeOptions options;
    options.isa = isa;
    options.threads = threads;
    return options;
}

void check_chain(SmallChain& chain) {
    const Tensor expected = chain.expected();
    for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
        for (const int threads : {1, 2, 3}) {
            CAPTURE(static_cast<int>(isa));
            CAPTURE(threads);
            check_equal(expected, chain.run(options_of(isa, threads)));
        }
    }
}

}  // namespace seq::test
