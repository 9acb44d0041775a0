#include "tests/cuda/own_case.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <set>

#include "graph/convert_tensor.hpp"
#include "graph/ops/embedding.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/reorder.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::test {
namespace {

/// Nothing is asked of it: our kernels read plain weights.
class NoWeights final : public WeightProvider {
   public:
    bool available(const Value&) const override { return true; }
    TensorView view(const Value&) override { throw std::logic_error("a kernel looks at weights"); }
    std::shared_ptr<const Tensor> keep(const Value&) override { throw std::logic_error("a kernel keeps weights"); }
    PackedWeights packed(const Value&, const std::string&, const std::function<PackedWeights(const TensorView&)>&,
                         std::size_t) override {
        throw std::logic_error("a kernel packs weights");
    }
};

void run_prepared(const PreparedKernel& kernel, void* const* inputs, void* const* outputs, bool nonfinite) {
    Tensor scratch(DType::u8, {static_cast<std::int64_t>(kernel.scratch_bytes) + 1});
    const auto state = kernel.make_state();
    ImmediateQueue queue;
    RunContext context;
    context.inputs = inputs;
    context.outputs = outputs;
    context.scratch = scratch.view().as<std::byte>();
    context.state = state.get();
    context.nonfinite = nonfinite;
    context.queue = &queue;
    kernel.run(context);
}

/// A copy that may be of no elements.
Tensor room_for(const Placed& placed) { return Tensor(DType::u8, {placed.byte_count()}); }

Tensor in_layout(const Placed& from, void* data, const Placed& to) {
    Tensor tensor = room_for(to);
    void* target = tensor.view().data;
    run_prepared(*cuda::own::make_reorder(from, to), &data, &target, false);
    return tensor;
}

double magnitude(const Tensor& tensor) {
    double largest = 0;
    for (const float value : tensor.data<float>()) {
        if (std::isfinite(value)) largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    return largest;
}

/// The first element that is off by more than `tolerance` of the largest and `own` of itself; -1: there is none.
std::int64_t first_difference(const Tensor& expected, const void* actual, double tolerance, double own) {
    if (expected.dtype() != DType::f32)
        return std::memcmp(expected.view().data, actual, expected.byte_count()) == 0 ? -1 : 0;
    const double allowed = tolerance * std::max(magnitude(expected), 1e-3);
    const auto values = expected.data<float>();
    const auto* found = static_cast<const float*>(actual);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double difference = std::abs(static_cast<double>(values[i]) - static_cast<double>(found[i]));
        const bool same = std::isnan(values[i])   ? std::isnan(found[i])
                          : std::isinf(values[i]) ? values[i] == found[i]
                                                  : difference <= allowed + own * std::abs(values[i]);
        if (!same) return static_cast<std::int64_t>(i);
    }
    return -1;
}

TensorType type_of(const std::vector<std::int64_t>& sizes, DType dtype) {
    return {dtype, Shape(std::vector<Dim>(sizes.begin(), sizes.end()))};
}

}  // namespace

void ImmediateQueue::copy_to_device(void* device, const void* host, std::size_t bytes) {
    std::memcpy(device, host, bytes);
}
void ImmediateQueue::copy_to_host(void* host, const void* device, std::size_t bytes) {
    std::memcpy(host, device, bytes);
}
void ImmediateQueue::copy_on_device(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }

OwnCase::OwnCase(Op op, std::vector<std::vector<std::int64_t>> inputs, std::vector<Post> epilogue,
                 std::vector<DType> dtypes, std::vector<std::size_t> constants) {
    NodeSpec spec;
    spec.op = std::move(op);
    spec.parameter_prefix = "layer";
    spec.name = "layer";
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const DType dtype = i < dtypes.size() ? dtypes[i] : DType::f32;
        const std::string name = "x" + std::to_string(i);
        const bool is_constant = std::find(constants.begin(), constants.end(), i) != constants.end();
        spec.inputs.push_back(is_constant ? graph_.add_parameter(name, type_of(inputs[i], dtype))
                                          : graph_.add_input(name, type_of(inputs[i], dtype)));
    }
    for (const Post& post : epilogue) {
        PostOpSpec added{post.op, {}, post.position};
        for (const auto& sizes : post.operands) {
            const std::string name = "operand" + std::to_string(graph_.values().size());
            added.operands.push_back(post.constant ? graph_.add_parameter(name, type_of(sizes, DType::f32))
                                                   : graph_.add_input(name, type_of(sizes, DType::f32)));
        }
        spec.epilogue.push_back(std::move(added));
    }
    node_ = graph_.add(std::move(spec));
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
        const Value& value = *node_->inputs[i];
        auto tensor = std::make_shared<Tensor>(value.type.dtype, *value.type.shape.sizes());
        fill(*tensor, static_cast<unsigned>(i) + 1);
        if (value.name.ends_with("running_var")) {
            for (float& number : tensor->data<float>()) number = std::abs(number) + 0.5f;
        }
        data_.push_back(std::move(tensor));
    }
}

void OwnCase::fill(Tensor& tensor, unsigned seed) const {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    if (tensor.dtype() == DType::f32) {
        for (float& value : tensor.data<float>()) value = normal(generator);
        return;
    }
    const auto* embedding = node_->op.as<ops::Embedding>();
    const std::int64_t range = embedding != nullptr ? embedding->num_embeddings : 100;
    const auto fill_as = [&]<class T>(T) {
        for (T& value : tensor.data<T>()) value = static_cast<T>(generator() % static_cast<unsigned long>(range));
    };
    switch (size_of(tensor.dtype())) {
        case 8: fill_as(std::int64_t{}); break;
        case 4: fill_as(std::int32_t{}); break;
        case 2: fill_as(std::int16_t{}); break;
        default: fill_as(std::int8_t{}); break;
    }
    if (tensor.dtype() == DType::boolean) {
        for (auto& value : tensor.data<std::int8_t>()) value = value % 2;
    }
}

void OwnCase::put(const std::vector<float>& values, std::size_t input) {
    nonfinite_ = true;
    auto numbers = data_[input]->data<float>();
    for (std::size_t i = 0, at = 0; at < numbers.size(); ++i, at += i % 3 + 1) numbers[at] = values[i % values.size()];
}

std::vector<Tensor> OwnCase::expected(bool rounded) const {
    std::vector<Tensor> kept, results;
    std::vector<TensorView> inputs, outputs;
    for (std::size_t i = 0; i < data_.size(); ++i) {
        const TensorView& view = data_[i]->view();
        const bool is_data = !node_->inputs[i]->is_constant_like();
        if (rounded && is_data && view.dtype == DType::f32) {
            Tensor narrow(DType::bf16, view.sizes());
            REQUIRE(convert(view, narrow.view()));
            REQUIRE(convert(narrow.view(), kept.emplace_back(DType::f32, view.sizes()).view()));
            inputs.push_back(kept.back().view());
        } else {
            inputs.push_back(view);
        }
    }
    for (const Value* output : node_->outputs) results.emplace_back(output->type.dtype, *output->type.shape.sizes());
    for (const Tensor& result : results) outputs.push_back(result.view());
    REQUIRE(reference::supports(*node_));
    reference::run(*node_, inputs, outputs);
    return results;
}

KernelRequest OwnCase::request_for(const Offer& offer) const {
    KernelRequest request{*node_, {}, {}, {}};
    const auto place_value = [&](const Value& value, bool takes_order) {
        const Placed plain{value.type.dtype, *value.type.shape.sizes(), {}};
        const bool has_channels = plain.sizes.size() >= 3 && plain.sizes.size() <= 5;
        const bool is_float = plain.dtype == DType::f32;
        const Layout order = takes_order && has_channels && is_float ? offer.order : Layout::plain();
        return plain.in(order.kept(offer.rounded && is_float ? Kept::bf16 : Kept::own));
    };
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
        const Value& value = *node_->inputs[i];
        request.inputs.push_back(value.is_constant_like() ? Placed{value.type.dtype, *value.type.shape.sizes(), {}}
                                                          : place_value(value, true));
    }
    for (const Value* output : node_->outputs) request.outputs.push_back(place_value(*output, false));
    return request;
}

void OwnCase::check_in_place(const PreparedKernel& kernel, const KernelRequest& request,
                             const std::vector<void*>& inputs, const std::vector<Tensor>& wanted, double tolerance,
                             double own) {
    for (const auto& [input, output] : kernel.in_place) {
        CAPTURE(input);
        const auto k = static_cast<std::size_t>(input);
        const Placed plain = request.inputs[k].in(Layout::plain());
        const Tensor offered = in_layout(plain, data_[k]->view().data, request.inputs[k]);
        Tensor shared =
            in_layout(request.inputs[k], offered.view().data, request.inputs[k].in(kernel.input_layouts[k]));
        std::vector<void*> again = inputs;
        for (std::size_t i = 0; i < again.size(); ++i) {
            if (again[i] == inputs[k]) again[i] = shared.view().data;
        }
        std::vector<Tensor> results;
        std::vector<void*> outputs;
        for (std::size_t i = 0; i < request.outputs.size(); ++i)
            outputs.push_back(results.emplace_back(room_for(request.outputs[i])).view().data);
        outputs[static_cast<std::size_t>(output)] = shared.view().data;
        run_prepared(kernel, again.data(), outputs.data(), nonfinite_);
        const auto o = static_cast<std::size_t>(output);
        const Tensor result = in_layout(request.outputs[o], outputs[o], request.outputs[o].in(Layout::plain()));
        CHECK(first_difference(wanted[o], result.view().data, tolerance, own) == -1);
    }
}

bool OwnCase::run_one(const Kernel& kernel, const Offer& offer, double tolerance, double own_rounded) {
    KernelRequest request = request_for(offer);
    if (!kernel.supports(request)) return false;
    NoWeights weights;
    std::string refusal;
    const auto prepared = kernel.prepare(request, weights, refusal);
    if (prepared == nullptr) {
        FAIL_CHECK(std::string(kernel.name()) << " of " << node_->op.name() << ": " << refusal);
        return false;
    }
    INFO("kernel ", std::string(kernel.name()), " of ", node_->op.name(), ", offered ", offer.order.to_string(),
         std::string(offer.rounded ? " rounded" : ""));
    std::vector<Tensor> buffers;
    std::vector<void*> inputs;
    REQUIRE(prepared->input_layouts.size() == data_.size());
    for (std::size_t i = 0; i < data_.size(); ++i) {
        const auto& reads = prepared->plain_weights;
        const bool read = std::find(reads.begin(), reads.end(), static_cast<int>(i)) != reads.end();
        if (request.is_weight(static_cast<int>(i))) {
            inputs.push_back(read ? data_[i]->view().data : nullptr);
            continue;
        }
        const Placed plain = request.inputs[i].in(Layout::plain());
        const Tensor offered = in_layout(plain, data_[i]->view().data, request.inputs[i]);
        buffers.push_back(
            in_layout(request.inputs[i], offered.view().data, request.inputs[i].in(prepared->input_layouts[i])));
        inputs.push_back(buffers.back().view().data);
    }
    std::vector<Tensor> results;
    std::vector<void*> outputs;
    for (std::size_t i = 0; i < request.outputs.size(); ++i) {
        request.outputs[i] = request.outputs[i].in(prepared->output_layouts[i]);
        outputs.push_back(results.emplace_back(room_for(request.outputs[i])).view().data);
        std::memset(outputs.back(), 0xff, results.back().byte_count());
    }
    const double own = offer.rounded ? own_rounded : 0;
    const std::vector<Tensor> wanted = expected(offer.rounded);
    for (int run = 0; run < 2; ++run) run_prepared(*prepared, inputs.data(), outputs.data(), nonfinite_);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const Tensor plain = in_layout(request.outputs[i], outputs[i], request.outputs[i].in(Layout::plain()));
        CHECK(first_difference(wanted[i], plain.view().data, tolerance, own) == -1);
    }
    check_in_place(*prepared, request, inputs, wanted, tolerance, own);
    return true;
}

std::vector<std::string> OwnCase::run(double tolerance, double own) {
    std::set<std::string> ran;
    for (const Kernel* kernel : cuda::own::kernels()) {
        for (const Layout& order : {Layout::plain(), Layout::channels_last()}) {
            for (const bool rounded : {false, true}) {
                if (run_one(*kernel, {order, rounded}, tolerance, own)) ran.insert(std::string(kernel->name()));
            }
        }
    }
    return {ran.begin(), ran.end()};
}

void check_own(const std::string& kernel, Op op, std::vector<std::vector<std::int64_t>> inputs,
               std::vector<OwnCase::Post> epilogue, std::vector<DType> dtypes) {
    OwnCase example(std::move(op), std::move(inputs), std::move(epilogue), std::move(dtypes));
    const std::vector<std::string> ran = example.run();
    CAPTURE(kernel);
    CHECK(std::find(ran.begin(), ran.end(), kernel) != ran.end());
}

}  // namespace seq::test
