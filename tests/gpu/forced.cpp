#include "tests/gpu/forced.hpp"

#include "tests/gpu/gpu.hpp"

namespace seq::tests {
namespace {

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

}  // namespace

ForcedGpu::ForcedGpu(const Layout& layout) : backend_(own_kernels_alone()) {
    for (const Kernel* kernel : *own_kernels_alone().kernels)
        kernels_.push_back(owned_.emplace_back(std::make_unique<Forced>(*kernel, layout)).get());
    backend_.kernels = &kernels_;
}

}  // namespace seq::tests
