#include "tests/cuda/layer_case.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

#include "graph/convert.hpp"
#include "kernels/cuda/own/host_queue.hpp"
#include "kernels/reference/reference.hpp"
#include "tests/cuda/graph_run.hpp"

namespace seq::tests {
namespace {

using namespace cuda;

/// Does what is handed to it at once.
class ImmediateQueue final : public own::HostQueue, public CudnnQueue {
   public:
    void submit(std::function<void()> work) override { work(); }
    void copy_to_device(void* device, const void* host, std::size_t bytes) override {
        std::memcpy(device, host, bytes);
    }
    void copy_to_host(void* host, const void* device, std::size_t bytes) override { std::memcpy(host, device, bytes); }
    void copy_on_device(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
    std::unique_ptr<DeviceGraph> capture(const std::function<void()>&) override { return nullptr; }
    void launch(const DeviceGraph&) override {}
    void wait() override {}
    cudnnHandle_t cudnn_handle() override { return reinterpret_cast<cudnnHandle_t>(this); }
};

/// Weights in memory, packed when they are asked for.
class MemoryWeights final : public WeightProvider {
   public:
    MemoryWeights(const Node& node, const std::vector<std::shared_ptr<Tensor>>& data) {
        for (std::size_t i = 0; i < data.size(); ++i) tensors_[node.inputs[i]] = data[i];
    }
    bool available(const Value&) const override { return true; }
    TensorView view(const Value& value) override { return tensors_.at(&value)->view(); }
    std::shared_ptr<const Tensor> keep(const Value& value) override { return tensors_.at(&value); }
    PackedWeights packed(const Value& value, const std::string&,
                         const std::function<PackedWeights(const TensorView&)>& pack, std::size_t) override {
        return pack(view(value));
    }

   private:
    std::map<const Value*, std::shared_ptr<Tensor>> tensors_;
};

TensorType type_of(const std::vector<std::int64_t>& sizes) {
    return {DType::f32, Shape(std::vector<Dim>(sizes.begin(), sizes.end()))};
}

void fill(Tensor& tensor, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    for (float& value : tensor.data<float>()) value = normal(generator);
}

/// Where element `i` of a plain tensor lies in another order.
std::size_t place_of(std::size_t i, const Placed& placed) {
    if (placed.layout.kind == LayoutKind::plain) return i;
    std::size_t positions = 1;
    for (std::size_t d = 2; d < placed.sizes.size(); ++d) positions *= static_cast<std::size_t>(placed.sizes[d]);
    const auto channels = static_cast<std::size_t>(placed.sizes[1]);
    const std::size_t n = i / (channels * positions), c = i / positions % channels;
    return (n * positions + i % positions) * channels + c;
}

/// A plain f32 tensor as it lies in `layout`, or back.
std::vector<std::byte> lay(const Tensor& plain, const Placed& placed) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(placed.byte_count()));
    const auto values = plain.data<float>();
    for (std::size_t i = 0; i < values.size(); ++i)
        convert_floats(&values[i], DType::f32, bytes.data() + place_of(i, placed) * size_of(placed.dtype), placed.dtype,
                       1);
    return bytes;
}
Tensor unlay(const std::vector<std::byte>& bytes, const Placed& placed) {
    Tensor plain(DType::f32, placed.sizes);
    const auto values = plain.data<float>();
    for (std::size_t i = 0; i < values.size(); ++i)
        convert_floats(bytes.data() + place_of(i, placed) * size_of(placed.dtype), placed.dtype, &values[i], DType::f32,
                       1);
    return plain;
}

/// In the L2 norm; infinite where one has a NaN or an Inf that the other has not.
double relative_difference(const Tensor& expected, const Tensor& actual) {
    double difference = 0, size = 1e-12;
    for (std::size_t i = 0; i < expected.data<float>().size(); ++i) {
        const double x = double{expected.data<float>()[i]}, y = double{actual.data<float>()[i]};
        if (std::isnan(x) != std::isnan(y) || (std::isinf(x) && x != y)) return INFINITY;
        if (!std::isfinite(x)) continue;
        difference += (x - y) * (x - y);
        size += x * x;
    }
    return std::sqrt(difference / size);
}

/// As far as numbers of the mode's type may be off.
double tolerance(MathMode math) {
    switch (storage_type(math)) {
        case DType::f16: return 2e-3;
        case DType::bf16: return 2e-2;
        default: return 1e-6;
    }
}

DeviceProperties told(const Cudnn& cudnn) { return DeviceProperties::from_json(cudnn, R"({"deviceName": "a GPU"})"); }

}  // namespace

std::shared_ptr<void> HostRuntime::allocate(std::size_t bytes) const {
    constexpr std::size_t alignment = 256;
    return {std::aligned_alloc(alignment, (bytes / alignment + 1) * alignment), std::free};
}

std::shared_ptr<const void> HostRuntime::upload(const void* host, std::size_t bytes) const {
    auto copy = allocate(bytes);
    std::memcpy(copy.get(), host, bytes);
    return copy;
}

std::unique_ptr<DeviceQueue> HostRuntime::make_queue() const { return std::make_unique<ImmediateQueue>(); }

LayerCase::LayerCase(Op op, std::vector<std::vector<std::int64_t>> inputs, std::vector<Post> epilogue,
                     std::vector<std::size_t> constants)
    : device_(fake.table, runtime_, told(fake.table)), kernels_(make_cudnn_kernels(device_)) {
    fake.on_execute = [this](const FakeRun& run) {
        runs.push_back(run);
        run_graph(run.graph, run.pointers);
        return CUDNN_STATUS_SUCCESS;
    };
    NodeSpec spec;
    spec.op = std::move(op);
    spec.parameter_prefix = spec.name = "layer";
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::string name = "x" + std::to_string(i);
        const bool constant = std::find(constants.begin(), constants.end(), i) != constants.end();
        spec.inputs.push_back(constant ? graph_.add_parameter(name, type_of(inputs[i]))
                                       : graph_.add_input(name, type_of(inputs[i])));
    }
    for (const Post& post : epilogue) {
        PostOpSpec added{post.op, {}, post.position};
        for (const auto& sizes : post.operands) {
            const std::string name = "operand" + std::to_string(graph_.values().size());
            added.operands.push_back(post.constant ? graph_.add_parameter(name, type_of(sizes))
                                                   : graph_.add_input(name, type_of(sizes)));
        }
        spec.epilogue.push_back(std::move(added));
    }
    node_ = graph_.add(std::move(spec));
    for (const Value* value : node_->inputs) {
        data_.push_back(std::make_shared<Tensor>(DType::f32, *value->type.shape.sizes()));
        fill(*data_.back(), static_cast<unsigned>(data_.size()));
    }
}

KernelRequest LayerCase::request(MathMode math) const {
    KernelRequest request{*node_, {}, {}, {}};
    request.options.dtype = math;
    request.options.estimate = estimate;
    request.variant = variant;
    const Layout kept = Layout::plain().kept(kept_in(math));
    for (const Value* value : node_->inputs)
        request.inputs.push_back(place(*value, value->is_constant_like() ? Layout::plain() : kept));
    if (offered) request.inputs[0] = place(*node_->inputs[0], *offered);
    request.outputs.push_back(place(*node_->output(), offered_output.value_or(kept)));
    return request;
}

std::vector<std::string> LayerCase::variants() const {
    for (const auto& kernel : kernels_) {
        if (kernel->supports(request())) return kernel->variants(request()).names;
    }
    return {};
}

std::unique_ptr<PreparedKernel> LayerCase::prepare(MathMode math) {
    const KernelRequest wanted = request(math);
    refusal.clear();
    for (const auto& kernel : kernels_) {
        const Support support = kernel->supports(wanted);
        std::string reason = support.reason;
        if (support) {
            MemoryWeights weights(*node_, data_);
            if (auto prepared = kernel->prepare(wanted, weights, reason)) return prepared;
        }
        refusal += fmt::format("{}: {}\n", kernel->name(), reason);
    }
    return nullptr;
}

void LayerCase::check(const PreparedKernel& kernel, MathMode math) {
    const KernelRequest wanted = request(math);
    std::vector<std::vector<std::byte>> inputs;
    std::vector<void*> pointers;
    std::vector<TensorView> views;
    for (std::size_t i = 0; i < data_.size(); ++i) {
        inputs.push_back(lay(*data_[i], wanted.inputs[i].in(kernel.input_layouts.at(i))));
        pointers.push_back(inputs.back().data());
        views.push_back(data_[i]->view());
        const auto& plain = kernel.plain_weights;
        const bool read = std::find(plain.begin(), plain.end(), static_cast<int>(i)) != plain.end();
        if (wanted.is_weight(static_cast<int>(i)) && !read) pointers.back() = nullptr;
    }
    Tensor expected(DType::f32, wanted.outputs[0].sizes);
    const TensorView target = expected.view();
    reference::run(*node_, views, {&target, 1});
    const Placed output = wanted.outputs[0].in(kernel.output_layouts.at(0));
    std::vector<std::byte> result(static_cast<std::size_t>(output.byte_count()));
    void* const results = result.data();
    const auto scratch = runtime_.allocate(kernel.scratch_bytes);
    const auto queue = runtime_.make_queue();
    const auto state = kernel.make_state();
    const RunContext context{pointers.data(), &results,   static_cast<std::byte*>(scratch.get()), state.get(), false,
                             false,           queue.get()};
    for (int run = 0; run < 2; ++run) {
        std::fill(result.begin(), result.end(), std::byte{0x7b});
        kernel.run(context);
        CHECK(relative_difference(expected, unlay(result, output)) <= tolerance(math));
    }
}

void LayerCase::check(const std::string& form, MathMode math) {
    const auto kernel = prepare(math);
    REQUIRE_MESSAGE(kernel != nullptr, refusal);
    CHECK(kernel->description == "cuDNN engine 1: " + form);
    check(*kernel, math);
}

void LayerCase::take_only(const std::string& operations) {
    fake.on_finalize = [operations](const FakeDescriptor& descriptor) {
        const bool other =
            descriptor.type == CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR && operations_of(descriptor) != operations;
        return other ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_SUCCESS;
    };
}

std::unique_ptr<PreparedKernel> LayerCase::check_with_only(const std::string& operations, MathMode math) {
    take_only(operations);
    auto kernel = prepare(math);
    REQUIRE_MESSAGE(kernel != nullptr, refusal);
    check(*kernel, math);
    return kernel;
}

}  // namespace seq::tests
