#include "tests/cpu/group_harness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "kernels/cpu/cpu.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::test {
namespace {

Placed placed(const Value& value, const Layout& layout = {}) {
    return {value.type.dtype, *value.type.shape.sizes(), layout};
}

}  // namespace

Value* GroupCase::input(std::vector<std::int64_t> sizes) {
    return graph.add_input("x" + std::to_string(graph.inputs().size()),
                           {DType::f32, Shape(std::vector<Dim>(sizes.begin(), sizes.end()))});
}

Value* GroupCase::add(Op op, std::vector<Value*> inputs, std::vector<PostOpSpec> epilogue) {
    NodeSpec spec;
    spec.op = std::move(op);
    spec.name = spec.parameter_prefix = "layer" + std::to_string(graph.node_count());
    spec.inputs = std::move(inputs);
    spec.epilogue = std::move(epilogue);
    return graph.add(std::move(spec))->output();
}

void GroupCase::finish(Value* output, const std::vector<float>& special) {
    output_ = output;
    special_ = !special.empty();
    graph.set_outputs({output}, {"y"});
    std::mt19937 generator(7);
    std::normal_distribution<float> normal;
    for (const Value* value : graph.values()) {
        auto tensor = std::make_shared<Tensor>(DType::f32, *value->type.shape.sizes());
        if (value->kind != ValueKind::result) {
            for (float& number : tensor->data<float>()) number = normal(generator);
        }
        if (value->name.ends_with("running_var")) {
            for (float& number : tensor->data<float>()) number = std::abs(number) + 0.5f;
        }
        if (value->is_constant_like()) weights_.set(*value, tensor);
        data_[value] = tensor;
    }
    const auto first = data_[graph.inputs().front()]->data<float>();
    for (std::size_t i = 0; i < special.size(); ++i) first[(i * 7919) % first.size()] = special[i];
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        std::vector<TensorView> inputs, outputs;
        for (const Value* value : node->inputs) inputs.push_back(data_[value]->view());
        for (const Value* value : node->outputs) outputs.push_back(data_[value]->view());
        REQUIRE(reference::supports(*node));
        reference::run(*node, inputs, outputs);
    }
}

bool GroupCase::run(const GroupKernel& kernel, int threads, double tolerance) {
    ComputeOptions options;
    options.threads = threads;
    options.estimate = false;
    GroupRequest request{kernel.match(graph, *graph.first_node(), options), {}, {}, {}, options};
    if (request.nodes.size() != graph.node_count()) return false;
    for (const Node* node : request.nodes) {
        for (const Value* value : node->inputs) {
            const bool listed = std::find(request.values.begin(), request.values.end(), value) != request.values.end();
            if (value->kind == ValueKind::input && !listed) request.values.push_back(value);
        }
    }
    const Layout blocked = Layout::blocked(cpu_backend().isa == Isa::avx512 ? 16 : 8);
    for (const Layout& layout : {Layout::plain(), Layout::channels_last(), blocked}) {
        CAPTURE(layout.to_string());
        const auto offered = [&](const Value& value) {
            return placed(value, value.type.shape.rank() < 3 ? Layout::plain() : layout);
        };
        request.inputs.clear();
        for (const Value* value : request.values) request.inputs.push_back(offered(*value));
        request.outputs.clear();
        for (const Value* value : output_->producer->outputs) request.outputs.push_back(offered(*value));
        if (!run_offered(kernel, request, tolerance)) return false;
    }
    return true;
}

bool GroupCase::run_offered(const GroupKernel& kernel, const GroupRequest& request, double tolerance) {
    std::string refusal;
    const auto prepared = kernel.prepare(request, weights_, refusal);
    if (!prepared) {
        MESSAGE(refusal);
        return false;
    }
    std::vector<Tensor> buffers;
    std::vector<void*> inputs;
    for (std::size_t i = 0; i < request.values.size(); ++i) {
        const Placed from = placed(*request.values[i]);
        buffers.push_back(in_layout(from, data_[request.values[i]]->view().data, prepared->input_layouts[i]));
        inputs.push_back(buffers.back().view().data);
    }
    const std::vector<Value*>& given = output_->producer->outputs;
    std::vector<void*> outputs;
    REQUIRE(prepared->output_layouts.size() == given.size());
    for (std::size_t i = 0; i < given.size(); ++i) {
        buffers.push_back(Tensor(DType::u8, {placed(*given[i], prepared->output_layouts[i]).byte_count()}));
        outputs.push_back(buffers.back().view().data);
    }
    run_prepared(*prepared, inputs.data(), outputs.data(), special_);
    for (std::size_t i = 0; i < given.size(); ++i) {
        const Placed result = placed(*given[i], prepared->output_layouts[i]);
        const Tensor plain = in_layout(result, outputs[i], Layout::plain());
        CHECK(first_difference(*data_[given[i]], plain.view().data, tolerance) == -1);
    }
    return true;
}

}  // namespace seq::test
