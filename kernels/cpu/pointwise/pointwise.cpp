#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/pointwise/prepared.hpp"

namespace seq::cpu {
namespace {

using pointwise::Layer;
using pointwise::PreparedPointwise;

class Pointwise final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.pointwise"; }

    Support supports(const KernelRequest& request) const override {
        const auto layer = pointwise::layer_of(request);
        if (!layer) return Support::no("takes Linear and convolutions of one number a window, without groups, alone");
        const Support support = pointwise::supports_layer(request, *layer);
        return support && request.options.estimate ? worth(layer->problem) : support;
    }

    /// Measured against oneDNN's brgconv.
    static Support worth(const pointwise::Problem& problem) {
        constexpr std::int64_t many_rows = 1024;
        if (problem.out_channels > problem.lanes || problem.rows < many_rows) return {};
        return Support::no("estimated to be slower than oneDNN on output channels that fill no two vectors");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        const Layer layer = pointwise::layer_of(request).value();
        auto kernel = std::make_unique<PreparedPointwise>(request, provider, layer);
        if (!place_fused(*kernel, kernel->head, kernel->rest, request, provider, layer.input, layer.output, refusal))
            return nullptr;
        kernel->finish(request.options.threads);
        return kernel;
    }
};

}  // namespace

const Kernel& pointwise_kernel() {
    static const Pointwise kernel;
    return kernel;
}

}  // namespace seq::cpu
