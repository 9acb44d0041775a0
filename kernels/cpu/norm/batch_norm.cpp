#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/norm/affine.hpp"
#include "kernels/cpu/own_kernel.hpp"

namespace seq::cpu {
namespace {

class PreparedAffine final : public PreparedKernel {
   public:
    explicit PreparedAffine(ElementwiseChain chain) : chain_(std::move(chain)) { ignores_nonfinite = true; }
    void run(const RunContext& context) const override { chain_.run(context.inputs, context.outputs[0]); }

   private:
    ElementwiseChain chain_;
};

/// Norms whose statistics are weights: a scale and a shift for each channel.
class BatchNorm final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.batch_norm"; }

    Support supports(const KernelRequest& request) const override {
        if (!running_eps(request.node.op))
            return Support::no("takes BatchNorm and InstanceNorm with running statistics alone");
        if (!has_known_parameters(request)) return Support::no("takes parameters that are known before the run");
        return is_f32(request) ? Support{} : Support::no("computes in f32 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const Layout layout = offered_layout(request);
        if (auto kernel = prepare_in(request, weights, layout, refusal)) return kernel;
        return layout == Layout::plain() ? nullptr : prepare_in(request, weights, Layout::plain(), refusal);
    }

   private:
    static std::unique_ptr<PreparedKernel> prepare_in(const KernelRequest& request, WeightProvider& weights,
                                                      const Layout& layout, std::string& refusal) {
        const std::vector<Placed> inputs = place_inputs(request, layout);
        const double eps = running_eps(request.node.op).value();
        const ChannelAffine affine = running_affine(request, weights, inputs[0].sizes[1], eps);
        ElementwiseChain chain(place_output(request, layout), usable_isa(request.options));
        const auto x = chain.add_operand(request, weights, 0, inputs[0]);
        const auto scale = chain.add_channels(affine.scale), shift = chain.add_channels(affine.shift);
        if (!x || !scale || !shift) return nullptr;
        chain.append(Binary::mul, std::array{*x, *scale});
        chain.append(Binary::add, std::array{ElementwiseChain::result, *shift});
        if (!chain.append_epilogue(request, weights, inputs, 0, refusal)) return nullptr;
        chain.finish();
        auto kernel = std::make_unique<PreparedAffine>(chain);
        for (const Placed& input : inputs) kernel->input_layouts.push_back(input.layout);
        kernel->output_layouts.push_back(layout);
        kernel->description = std::string("own ") + name_of(usable_isa(request.options));
        for (const int input : chain.in_place_inputs()) kernel->in_place.emplace_back(input, 0);
        kernel->plain_weights = chain.plain_weights(request);
        return kernel;
    }
};

}  // namespace

const Kernel& batch_norm_kernel() {
    static const BatchNorm kernel;
    return kernel;
}

}  // namespace seq::cpu
