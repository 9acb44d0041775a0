#include "tests/cuda/own_case.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
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

/// What a kernel packs is made anew each time.
class MemoryWeights final : public WeightProvider {
   public:
    MemoryWeights(const Node& node, const std::vector<std::shared_ptr<Tensor>>& data) {
        for (std::size_t i = 0; i < data.size(); ++i) tensors_[node.inputs[i]] = data[i];
    }
    bool available(const Value&) const override { return true; }
    TensorView view(const Value& value) override { return tensors_.at(&value)->view(); }
    std::shared_ptr<const Tensor> keep(const Value& value) override { return tensors_.at(&value); }
    PackedWeights packed(const Value& value, const std::string&,
                         const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes) override {
        PackedWeights made = pack(view(value));
        if (bytes != 0) CHECK(made.bytes == bytes);
        return made;
    }

   private:
    std::map<const Value*, std::shared_ptr<Tensor>> tensors_;
};

/// The host's own memory.
class HostMemory final : public DeviceRuntime {
   public:
    std::size_t cache_bytes() const override { return 0; }
    std::shared_ptr<void> allocate(std::size_t bytes) const override {
        return std::shared_ptr<void>(std::malloc(bytes + 1), std::free);
    }
    std::shared_ptr<void> allocate_staging(std::size_t bytes) const override { return allocate(bytes); }
    std::shared_ptr<const void> upload(const void* host, std::size_t bytes) const override {
        std::shared_ptr<void> copy = allocate(bytes);
        std::memcpy(copy.get(), host, bytes);
        return copy;
    }
    std::unique_ptr<DeviceQueue> make_queue() const override { return std::make_unique<ImmediateQueue>(); }
    std::unique_ptr<DeviceQueue> make_queue_on(void*) const override { return make_queue(); }
};

void run_prepared(const PreparedKernel& kernel, void* const* inputs, void* const* outputs) {
    Tensor scratch(DType::u8, {static_cast<std::int64_t>(kernel.scratch_bytes) + 1});
    const auto state = kernel.make_state();
    ImmediateQueue queue;
    RunContext context;
    context.inputs = inputs;
    context.outputs = outputs;
    context.scratch = scratch.view().as<std::byte>();
    context.state = state.get();
    context.queue = &queue;
    kernel.run(context);
}

/// A copy that may be of no elements.
Tensor room_for(const Placed& placed) { return Tensor(DType::u8, {placed.byte_count()}); }

Tensor in_layout(const Placed& from, void* data, const Placed& to) {
    Tensor tensor = room_for(to);
    void* target = tensor.view().data;
    run_prepared(*cuda::own::make_reorder(from, to), &data, &target);
    return tensor;
}

/// Plain elements as they were offered, and then as the kernel wants them.
Tensor arrange(const Placed& offered, void* data, const Layout& wanted) {
    const Placed plain = offered.in(Layout::plain()), kept = offered.in(Layout::plain().kept(offered.layout.kept_as));
    const Tensor rounded = in_layout(plain, data, kept);
    return in_layout(kept, rounded.view().data, kept.in(wanted));
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

bool multiplies(const Op& op) {
    return op.name().starts_with("Conv") || op.name() == "Linear" || op.name() == "MatMul";
}

/// What is too large for the type in which values are kept is infinite.
void overflow(Tensor& result, Kept kept) {
    if (kept == Kept::own || result.dtype() != DType::f32) return;
    Tensor narrow(dtype_of(kept), result.sizes()), wide(DType::f32, result.sizes());
    REQUIRE(convert(result.view(), narrow.view()));
    REQUIRE(convert(narrow.view(), wide.view()));
    for (std::size_t i = 0; i < result.data<float>().size(); ++i) {
        if (std::isinf(wide.data<float>()[i])) result.data<float>()[i] = wide.data<float>()[i];
    }
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
    node_ = add_case(graph_, std::move(op), inputs, epilogue, dtypes, constants);
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) data_.push_back(random_input(*node_, i));
}

void OwnCase::put(const std::vector<float>& values, std::size_t input) {
    auto numbers = data_[input]->data<float>();
    for (std::size_t i = 0, at = 0; at < numbers.size(); ++i, at += i % 3 + 1) numbers[at] = values[i % values.size()];
}

std::vector<Tensor> OwnCase::expected(Kept kept) const {
    std::vector<Tensor> rounded, results;
    std::vector<TensorView> inputs, outputs;
    for (std::size_t i = 0; i < data_.size(); ++i) {
        const TensorView& view = data_[i]->view();
        const bool is_data = !node_->inputs[i]->is_constant_like();
        const bool is_factor = multiplies(node_->op) && node_->inputs[i] == node_->parameter("weight");
        if (kept != Kept::own && (is_data || is_factor) && view.dtype == DType::f32) {
            Tensor narrow(dtype_of(kept), view.sizes());
            REQUIRE(convert(view, narrow.view()));
            REQUIRE(convert(narrow.view(), rounded.emplace_back(DType::f32, view.sizes()).view()));
            inputs.push_back(rounded.back().view());
        } else {
            inputs.push_back(view);
        }
    }
    for (const Value* output : node_->outputs) results.emplace_back(output->type.dtype, *output->type.shape.sizes());
    for (const Tensor& result : results) outputs.push_back(result.view());
    REQUIRE(reference::supports(*node_));
    reference::run(*node_, inputs, outputs);
    for (Tensor& result : results) overflow(result, kept);
    return results;
}

KernelRequest OwnCase::request_for(const Offer& offer) const {
    static const HostMemory memory;
    KernelRequest request{*node_, {}, {}, {}};
    request.options.device = &memory;
    for (const MathMode mode : all_math_modes) {
        if (offer.kept != Kept::own && kept_in(mode) == offer.kept) request.options.dtype = mode;
    }
    const auto place_value = [&](const Value& value, bool takes_order) {
        const Placed plain{value.type.dtype, *value.type.shape.sizes(), {}};
        const bool has_channels = plain.sizes.size() >= 3 && plain.sizes.size() <= 5;
        const bool is_float = plain.dtype == DType::f32;
        const Layout order = takes_order && has_channels && is_float ? offer.order : Layout::plain();
        return plain.in(order.kept(is_float ? offer.kept : Kept::own));
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
        Tensor shared = arrange(request.inputs[k], data_[k]->view().data, kernel.input_layouts[k]);
        std::vector<void*> again = inputs;
        for (std::size_t i = 0; i < again.size(); ++i) {
            if (again[i] == inputs[k]) again[i] = shared.view().data;
        }
        std::vector<Tensor> results;
        std::vector<void*> outputs;
        for (std::size_t i = 0; i < request.outputs.size(); ++i)
            outputs.push_back(results.emplace_back(room_for(request.outputs[i])).view().data);
        outputs[static_cast<std::size_t>(output)] = shared.view().data;
        run_prepared(kernel, again.data(), outputs.data());
        const auto o = static_cast<std::size_t>(output);
        const Tensor result = in_layout(request.outputs[o], outputs[o], request.outputs[o].in(Layout::plain()));
        CHECK(first_difference(wanted[o], result.view().data, tolerance, own) == -1);
    }
}

bool OwnCase::run_one(const Kernel& kernel, const Offer& offer, double tolerance, double own_rounded) {
    KernelRequest request = request_for(offer);
    if (!kernel.supports(request)) return false;
    MemoryWeights weights(*node_, data_);
    std::string refusal;
    const auto prepared = kernel.prepare(request, weights, refusal);
    if (prepared == nullptr) {
        FAIL_CHECK(std::string(kernel.name()) << " of " << node_->op.name() << ": " << refusal);
        return false;
    }
    INFO("kernel ", std::string(kernel.name()), " of ", node_->op.name(), ", offered ", offer.order.to_string(),
         ", kept as ", std::string(name_of(dtype_of(offer.kept))));
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
        buffers.push_back(arrange(request.inputs[i], data_[i]->view().data, prepared->input_layouts[i]));
        inputs.push_back(buffers.back().view().data);
    }
    std::vector<Tensor> results;
    std::vector<void*> outputs;
    for (std::size_t i = 0; i < request.outputs.size(); ++i) {
        request.outputs[i] = request.outputs[i].in(prepared->output_layouts[i]);
        outputs.push_back(results.emplace_back(room_for(request.outputs[i])).view().data);
        std::memset(outputs.back(), 0xff, results.back().byte_count());
    }
    const double own = offer.kept == Kept::own ? 0 : own_rounded;
    const std::vector<Tensor> wanted = expected(offer.kept);
    const auto differs = [&](std::size_t i) {
        const Tensor plain = in_layout(request.outputs[i], outputs[i], request.outputs[i].in(Layout::plain()));
        return first_difference(wanted[i], plain.view().data, tolerance, own) != -1;
    };
    for (int run = 0; run < 2; ++run) run_prepared(*prepared, inputs.data(), outputs.data());
    for (std::size_t i = 0; i < outputs.size(); ++i) CHECK_FALSE(differs(i));
    std::vector<std::byte> copy;
    const auto moved = prepared->on_copies([&](const void* packed, std::size_t bytes) {
        const auto* const first = static_cast<const std::byte*>(packed);
        copy.assign(first, first + bytes);
        return std::shared_ptr<const void>(std::shared_ptr<const void>(), copy.data());
    });
    if (moved != nullptr) {
        run_prepared(*moved, inputs.data(), outputs.data());
        CHECK_FALSE(differs(0));
        std::memset(copy.data(), 0xff, copy.size());
        run_prepared(*moved, inputs.data(), outputs.data());
        CHECK(differs(0));
    }
    check_in_place(*prepared, request, inputs, wanted, tolerance, own);
    return true;
}

std::vector<std::string> OwnCase::run(double tolerance, double own) {
    std::set<std::string> ran;
    for (const Kernel* kernel : cuda::own::kernels()) {
        for (const Layout& order : {Layout::plain(), Layout::channels_last(), Layout::blocked(8)}) {
            for (const Kept kept : {Kept::own, Kept::bf16, Kept::f16}) {
                if (run_one(*kernel, {order, kept}, tolerance, own)) ran.insert(std::string(kernel->name()));
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
