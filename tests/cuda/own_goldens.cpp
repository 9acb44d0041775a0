#include <doctest/doctest.h>

#include <cstring>

#include "engine/compiled_model.hpp"
#include "engine/reference_run.hpp"
#include "engine/session.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "tests/cuda/emulated_cuda.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

/// A kernel of ours that is offered everything in one order, and f32 values kept in one way.
class Forced final : public Kernel {
   public:
    Forced(const Kernel& kernel, const Layout& layout) : kernel_(kernel), layout_(layout) {}
    std::string_view name() const override { return kernel_.name(); }
    bool takes_lowered() const override { return true; }
    Support supports(const KernelRequest& request) const override { return kernel_.supports(forced(request)); }
    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        return kernel_.prepare(forced(request), weights, refusal);
    }

   private:
    KernelRequest forced(KernelRequest request) const {
        for (std::size_t i = 0; i < request.inputs.size(); ++i) {
            if (!request.is_weight(static_cast<int>(i))) force(request.inputs[i], true);
        }
        for (Placed& output : request.outputs) force(output, false);
        return request;
    }
    void force(Placed& placed, bool in_order) const {
        const bool has_channels = placed.sizes.size() >= 3 && placed.sizes.size() <= 5;
        if (placed.in(Layout::plain()).dtype != DType::f32) return;
        placed = placed.in((in_order && has_channels ? layout_ : Layout::plain()).kept(layout_.kept_as));
    }

    const Kernel& kernel_;
    Layout layout_;
};

/// Our kernels alone, on an emulated GPU.
struct ForcedCuda {
    explicit ForcedCuda(const Layout& layout) : backend(device.backend()) {
        for (const Kernel* kernel : cuda::own::kernels())
            kernels.push_back(owned.emplace_back(std::make_unique<Forced>(*kernel, layout)).get());
        backend.kernels = &kernels;
    }

    EmulatedCuda device;
    Backend backend;
    std::vector<std::unique_ptr<Kernel>> owned;
    KernelList kernels;
};

/// At once, captured and launched again.
void check(const Golden& golden, const Layout& layout, double tolerance) {
    CAPTURE(golden.name);
    CAPTURE(layout.to_string());
    const ForcedCuda cuda(layout);
    CompileOptions options;
    options.device = Device::cuda();
    options.weights = golden.weights;
    for (const NamedArray& output : golden.outputs) options.taps.push_back(output.name);
    Session session(std::make_shared<CompiledModel>(golden.graph, options, cuda.backend));
    std::vector<NamedArray> outputs;
    for (const NamedArray& output : golden.outputs)
        outputs.push_back({output.name, Tensor(output.tensor.dtype(), output.tensor.sizes())});
    for (int run = 0; run < 3; ++run) {
        CAPTURE(run);
        for (NamedArray& output : outputs) std::memset(output.tensor.view().data, 0x7b, output.tensor.byte_count());
        session.run(views(golden.inputs), views(outputs));
        for (std::size_t i = 0; i < outputs.size(); ++i)
            CHECK(relative_difference(outputs[i].tensor, golden.outputs[i].tensor) <= tolerance);
    }
    CHECK(cuda.device.counts().captures == 1);
    CHECK(cuda.device.counts().launches == 2);
}

const std::vector<Layout> orders{Layout::plain(), Layout::channels_last()};

}  // namespace

TEST_CASE("CUDA kernels of our own agree with PyTorch in every golden, in either order") {
    for (const std::string& name : golden_names()) {
        const Golden golden = load_golden(name);
        for (const Layout& order : orders) check(golden, order, 1e-4);
    }
}

TEST_CASE("CUDA kernels of our own agree with PyTorch in every golden where values are kept in 16 bits") {
    for (const std::string& name : golden_names()) {
        const Golden golden = load_golden(name);
        for (const Layout& order : orders) {
            check(golden, order.kept(Kept::bf16), 6e-2);
            check(golden, order.kept(Kept::f16), 1e-2);
        }
    }
}

TEST_CASE("CUDA kernels of our own agree with PyTorch in every layer with every option, in either order") {
    for (const std::string& family : more_families()) {
        for (const Golden& golden : load_more_goldens(family)) {
            for (const Layout& order : orders) check(golden, order, 1e-4);
        }
    }
}

}  // namespace seq::tests
