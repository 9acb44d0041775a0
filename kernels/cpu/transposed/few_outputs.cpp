#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/transposed/prepared.hpp"

namespace seq::cpu {
namespace {

using transposed::Problem;

/// Convolutions of few output channels, as the transposed ones that they are, by all taps at once.
class FewOutputs final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.few_outputs"; }

    Support supports(const KernelRequest& request) const override {
        const auto problem = transposed::problem_of_convolution(request);
        if (!problem)
            return Support::no("takes Conv1d and Conv2d of stride 1 without groups, padded with zeros, alone");
        if (!problem->near() || !problem->scattered())
            return Support::no("takes so few output channels alone that the taps of one fill vectors better");
        if (Support support = supports_packed_f32(request, problem->macs()); !support) return support;
        if (problem->copy_floats() > transposed::most_copy_floats)
            return Support::no("takes lines that a cache holds alone");
        return {};
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        const Problem problem = transposed::problem_of_convolution(request).value();
        return finish_packed(transposed::prepare_scattered(request, provider, problem), request, provider, refusal);
    }
};

}  // namespace

const Kernel& few_outputs_kernel() {
    static const FewOutputs kernel;
    return kernel;
}

}  // namespace seq::cpu
