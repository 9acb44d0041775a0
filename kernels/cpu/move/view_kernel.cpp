#include <cstring>

#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"

namespace seq::cpu {
namespace {

class PreparedView final : public OwnKernel {
   public:
    explicit PreparedView(std::int64_t bytes) : bytes_(bytes) {}
    void compute(const RunContext& context) const override {
        const auto* from = static_cast<const std::byte*>(context.inputs[0]);
        auto* to = static_cast<std::byte*>(context.outputs[0]);
        if (from == to) return;
        parallel_for(bytes_, parallel_grain * 8, [&](std::int64_t first, std::int64_t last) {
            std::memcpy(to + first, from + first, static_cast<std::size_t>(last - first));
        });
    }

   private:
    std::int64_t bytes_;
};

/// Ops whose output holds the input's bytes: views that the planner could not make an alias of, and identities.
class View final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.view"; }

    Support supports(const KernelRequest& request) const override {
        const OpTraits& traits = request.node.op.traits();
        if (!traits.view && !traits.identity_at_inference) return Support::no("takes views and identities alone");
        if (!request.node.epilogue.empty() && !is_f32(request)) return Support::no("has epilogues in f32 alone");
        return {};
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        auto kernel = std::make_unique<PreparedView>(place_output(request, Layout::plain()).byte_count());
        const std::vector<Placed> inputs = place_inputs(request, Layout::plain());
        if (!finish_own(*kernel, request, weights, inputs, Layout::plain(), refusal)) return nullptr;
        if (request.is_weight(0)) kernel->plain_weights.push_back(0);
        kernel->in_place = {{0, 0}};
        return kernel;
    }
};

}  // namespace

const Kernel& view_kernel() {
    static const View kernel;
    return kernel;
}

}  // namespace seq::cpu
