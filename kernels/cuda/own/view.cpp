#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/own_kernel.hpp"

namespace seq::cuda::own {
namespace {

class PreparedView final : public OwnKernel {
   public:
    explicit PreparedView(std::int64_t bytes) : bytes_(static_cast<std::size_t>(bytes)) {}
    void launch(const RunContext& context) const override {
        if (bytes_ > 0 && context.inputs[0] != context.outputs[0])
            context.queue->copy_on_device(context.outputs[0], context.inputs[0], bytes_);
    }

   private:
    std::size_t bytes_;
};

/// Ops whose output holds the input's bytes: views that the planner could not make an alias of, and identities.
class View final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.view"; }

    Support supports(const KernelRequest& request) const override {
        const OpTraits& traits = request.node.op.traits();
        return traits.view || traits.identity_at_inference ? Support{}
                                                           : Support::no("takes views and identities alone");
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& order,
                                    std::string& refusal) const override {
        const Layout kept_order = request.node.op.traits().view ? Layout::plain() : order;
        auto kernel = std::make_unique<PreparedView>(place_output(request, kept_order).byte_count());
        if (!finish_own(*kernel, request, place_alike(request, kept_order), kept_order, refusal)) return nullptr;
        kernel->in_place = {{0, 0}};
        return kernel;
    }
};

}  // namespace

const Kernel& view_kernel() {
    static const View kernel;
    return kernel;
}

}  // namespace seq::cuda::own
