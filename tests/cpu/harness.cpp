#include "tests/cpu/harness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <set>

#include "graph/convert.hpp"
#include "graph/convert_tensor.hpp"
#include "graph/ops/embedding.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::test {
namespace {

double magnitude(const Tensor& tensor) {
    double largest = 0;
    for (const float value : tensor.data<float>()) {
        if (std::isfinite(value)) largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    return largest;
}

const std::vector<Layout> layouts{Layout::plain(), Layout::channels_last(), Layout::blocked(8), Layout::blocked(16)};

}  // namespace

void run_prepared(const PreparedKernel& kernel, void* const* inputs, void* const* outputs, bool nonfinite,
                  bool backwards) {
    Tensor scratch(DType::u8, {static_cast<std::int64_t>(kernel.scratch_bytes) + 1});
    const auto state = kernel.make_state();
    RunContext context;
    context.inputs = inputs;
    context.outputs = outputs;
    context.scratch = scratch.view().as<std::byte>();
    context.state = state.get();
    context.nonfinite = nonfinite;
    context.backwards = backwards;
    kernel.run(context);
    kernel.run(context);  // a second run gives the same
}

Tensor in_layout(const Placed& from, void* data, const Layout& layout) {
    const Placed to = from.in(layout);
    Tensor tensor(DType::u8, {to.byte_count()});
    void* target = tensor.view().data;
    run_prepared(*cpu_backend().make_reorder(from, to, {}), &data, &target, false);
    return tensor;
}

std::int64_t first_difference(const Tensor& expected, const void* actual, double tolerance, double own) {
    if (expected.dtype() != DType::f32) {
        return std::memcmp(expected.view().data, actual, expected.byte_count()) == 0 ? -1 : 0;
    }
    const double allowed = tolerance * std::max(magnitude(expected), 1e-3);
    const auto values = expected.data<float>();
    const auto* found = static_cast<const float*>(actual);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const bool same = std::isnan(values[i])   ? std::isnan(found[i])
                          : std::isinf(values[i]) ? values[i] == found[i]
                                                  : std::abs(static_cast<double>(values[i]) - found[i]) <=
                                                        allowed + own * std::abs(static_cast<double>(values[i]));
        if (!same) return static_cast<std::int64_t>(i);
    }
    return -1;
}

PackedWeights MemoryWeights::packed(const Value& value, const std::string& key,
                                    const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes) {
    const auto slot = std::make_pair(&value, key);
    if (!packed_.contains(slot)) packed_[slot] = pack(view(value));
    const PackedWeights& packed = packed_[slot];
    if (bytes != 0 && packed.data != nullptr) CHECK(packed.bytes == bytes);
    return packed;
}

std::string refusal_of(std::string_view name, const Node& node, WeightProvider& weights) {
    KernelRequest request{node, {}, {}, {}};
    for (const Value* value : node.inputs) request.inputs.push_back(place(*value, Layout::plain()));
    request.outputs.push_back(place(*node.outputs[0], Layout::plain()));
    request.options.estimate = false;
    const KernelList& kernels = *cpu_backend().kernels;
    const auto kernel =
        std::find_if(kernels.begin(), kernels.end(), [&](const Kernel* k) { return k->name() == name; });
    REQUIRE(kernel != kernels.end());
    REQUIRE((*kernel)->supports(request));
    std::string refusal;
    return (*kernel)->prepare(request, weights, refusal) != nullptr ? "" : refusal;
}

KernelCase::KernelCase(Op op, std::vector<std::vector<std::int64_t>> inputs, std::vector<PostOpCase> epilogue,
                       std::vector<DType> dtypes) {
    node_ = add_case(graph_, std::move(op), inputs, epilogue, dtypes);
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
        data_.push_back(random_input(*node_, i));
        if (node_->inputs[i]->is_constant_like()) weights_.set(*node_->inputs[i], data_.back());
    }
    compute_expected();
}

void KernelCase::compute_expected() {
    std::vector<Tensor> wide;
    const auto widen = [&](const TensorView& view) {
        if (!in_f64_ || view.dtype != DType::f32) return view;
        wide.emplace_back(DType::f64, view.sizes());
        REQUIRE(convert(view, wide.back().view()));
        return wide.back().view();
    };
    std::vector<TensorView> inputs, outputs;
    for (const auto& tensor : data_) inputs.push_back(widen(tensor->view()));
    expected_.clear();
    for (const Value* output : node_->outputs) expected_.emplace_back(output->type.dtype, *output->type.shape.sizes());
    for (const Tensor& expected : expected_) outputs.push_back(widen(expected.view()));
    REQUIRE(reference::supports(*node_));
    reference::run(*node_, inputs, outputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (in_f64_ && expected_[i].dtype() == DType::f32) REQUIRE(convert(outputs[i], expected_[i].view()));
    }
}

void KernelCase::expect_in_f64() {
    in_f64_ = true;
    compute_expected();
}

KernelRequest KernelCase::request_for(const Layout& offered, const Keeping& keeping) const {
    KernelRequest request{*node_, {}, {}, {}};
    request.options.threads = 2;
    if (keeping.lowered) request.options.dtype = MathMode::bf16;
    request.options.estimate = false;
    for (const Value* input : node_->inputs)
        request.inputs.push_back({input->type.dtype, *input->type.shape.sizes(), {}});
    for (const Value* output : node_->outputs)
        request.outputs.push_back({output->type.dtype, *output->type.shape.sizes(), {}});
    const bool takes_layouts = request.inputs[0].sizes.size() >= 3 && request.inputs[0].sizes.size() <= 5 &&
                               request.inputs[0].dtype == DType::f32;
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
        if (request.is_weight(static_cast<int>(i))) continue;
        Placed& input = request.inputs[i];
        const bool follows = static_cast<int>(i) < node_->data_count && takes_layouts &&
                             input.sizes.size() == request.inputs[0].sizes.size();
        input = input.in((follows ? offered : Layout::plain())
                             .kept(keeping.lowered && input.dtype == DType::f32 ? Kept::bf16 : Kept::own));
    }
    for (Placed& output : request.outputs)
        output = output.in(
            Layout::plain().kept(keeping.results_in_bf16 && output.dtype == DType::f32 ? Kept::bf16 : Kept::own));
    return request;
}

bool KernelCase::run_one(const Kernel& kernel, const Layout& offered, bool nonfinite, double tolerance,
                         const Keeping& keeping) {
    KernelRequest request = request_for(offered, keeping);
    if (!(request.inputs[0].layout.order() == offered)) return false;
    if (!kernel.supports(request)) return false;
    std::string refusal;
    const auto prepared = kernel.prepare(request, weights_, refusal);
    if (!prepared) {
        MESSAGE(std::string(kernel.name()), ": ", refusal);
        return false;
    }
    INFO("kernel ", std::string(kernel.name()), " (", prepared->description, ") of ", node_->op.name(), ", offered ",
         offered.to_string());
    std::vector<Tensor> buffers;
    std::vector<void*> inputs;
    for (std::size_t i = 0; i < data_.size(); ++i) {
        const Placed plain = request.inputs[i].in(Layout::plain());
        const auto& reads = prepared->plain_weights;
        const bool read = std::find(reads.begin(), reads.end(), static_cast<int>(i)) != reads.end();
        if (request.is_weight(static_cast<int>(i))) {
            inputs.push_back(read ? data_[i]->view().data : nullptr);
        } else {
            buffers.push_back(in_layout(plain, data_[i]->view().data, prepared->input_layouts[i]));
            inputs.push_back(buffers.back().view().data);
        }
    }
    std::vector<Tensor> results;
    std::vector<void*> outputs;
    for (std::size_t i = 0; i < request.outputs.size(); ++i) {
        CHECK(prepared->output_layouts[i].kept_as == request.outputs[i].layout.kept_as);
        request.outputs[i] = request.outputs[i].in(prepared->output_layouts[i]);
        results.emplace_back(DType::u8, std::initializer_list<std::int64_t>{request.outputs[i].byte_count()});
        outputs.push_back(results.back().view().data);
    }
    const bool told = nonfinite && !prepared->ignores_nonfinite;
    for (const bool backwards : {false, true}) {
        CAPTURE(backwards);
        for (Tensor& result : results) std::memset(result.view().data, 0xff, result.byte_count());
        run_prepared(*prepared, inputs.data(), outputs.data(), told, backwards);
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const Tensor plain = in_layout(request.outputs[i], outputs[i], Layout::plain());
            CHECK(first_difference(expected_[i], plain.view().data, tolerance, keeping.own) == -1);
        }
    }
    for (const auto& [input, output] : prepared->in_place) {
        CAPTURE(input);
        std::vector<Tensor> fresh;
        const auto k = static_cast<std::size_t>(input);
        const Placed plain = request.inputs[k].in(Layout::plain());
        Tensor shared = in_layout(plain, data_[k]->view().data, prepared->input_layouts[k]);
        std::vector<void*> again = inputs;
        again[k] = shared.view().data;
        std::vector<void*> target = outputs;
        target[static_cast<std::size_t>(output)] = shared.view().data;
        Tensor scratch(DType::u8, {static_cast<std::int64_t>(prepared->scratch_bytes) + 1});
        const auto state = prepared->make_state();
        prepared->run({again.data(), target.data(), scratch.view().as<std::byte>(), state.get(), told});
        const Tensor result =
            in_layout(request.outputs[static_cast<std::size_t>(output)], shared.view().data, Layout::plain());
        CHECK(first_difference(expected_[static_cast<std::size_t>(output)], result.view().data, tolerance,
                               keeping.own) == -1);
    }
    return true;
}

std::vector<std::string> KernelCase::run_all(double tolerance) {
    std::set<std::string> ran;
    for (const Kernel* kernel : *cpu_backend().kernels) {
        if (kernel == cpu_backend().kernels->back()) continue;
        for (const Layout& layout : layouts) {
            if (run_one(*kernel, layout, false, tolerance, {})) ran.insert(std::string(kernel->name()));
        }
    }
    return {ran.begin(), ran.end()};
}

void KernelCase::put(const std::vector<float>& values) {
    const auto data = data_[0]->data<float>();
    for (std::size_t i = 0; i < values.size(); ++i) data[(i * 7919) % data.size()] = values[i];
    compute_expected();
}

std::vector<std::string> KernelCase::run_lowered(const std::vector<float>& values, double own) {
    for (const auto& tensor : data_) {
        if (tensor->dtype() != DType::f32) continue;
        for (float& number : tensor->data<float>()) number = bf16_to_f32(f32_to_bf16(number));
    }
    in_f64_ = true;
    put(values);
    std::set<std::string> ran;
    for (const Kernel* kernel : *cpu_backend().kernels) {
        if (!kernel->takes_lowered()) continue;
        for (const Layout& layout : layouts) {
            for (const bool as_bf16 : {false, true}) {
                const Keeping keeping{true, as_bf16, as_bf16 ? own : 0};
                if (run_one(*kernel, layout, !values.empty(), values.empty() ? 1e-5 : 0x1p-8, keeping))
                    ran.insert(std::string(kernel->name()));
            }
        }
    }
    return {ran.begin(), ran.end()};
}

std::vector<std::string> KernelCase::run_nonfinite(const std::vector<float>& values) {
    put(values);
    std::set<std::string> ran;
    for (const Kernel* kernel : *cpu_backend().kernels) {
        if (kernel == cpu_backend().kernels->back()) continue;
        for (const Layout& layout : layouts) {
            if (run_one(*kernel, layout, true, 1e-5, {})) ran.insert(std::string(kernel->name()));
        }
    }
    return {ran.begin(), ran.end()};
}

void check_kernel(const std::string& kernel, Op op, std::vector<std::vector<std::int64_t>> inputs,
                  std::vector<KernelCase::PostOpCase> epilogue) {
    KernelCase example(std::move(op), std::move(inputs), std::move(epilogue));
    const std::vector<std::string> ran = example.run_all();
    CAPTURE(kernel);
    CHECK(std::find(ran.begin(), ran.end(), kernel) != ran.end());
}

}  // namespace seq::test
