#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/transposed/prepared.hpp"

namespace seq::cpu {
namespace {

using transposed::Problem;

class Transposed final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.transposed"; }

    Support supports(const KernelRequest& request) const override {
        const auto problem = transposed::problem_of(request);
        if (!problem) return Support::no("takes ConvTranspose1d and ConvTranspose2d alone");
        if (Support support = supports_packed_f32(request, problem->macs()); !support) return support;
        if (!problem->near()) return Support::no("takes windows of less than 2^16 numbers across alone");
        if (problem->copy_floats() > transposed::most_copy_floats)
            return Support::no("takes lines that a cache holds alone");
        return request.options.estimate ? worth(*problem) : Support{};
    }

    /// Measured with AVX2: as fast as oneDNN's brgconv where that is there, and up to 30 times as fast as the backward
    /// passes of convolutions that it has otherwise. Where both are as fast this one is taken: to generate code takes
    /// oneDNN milliseconds each time a plan is made or loaded. With AVX-512, where this is not
    /// measured, oneDNN keeps what it has brgconv for.
    static Support worth(const Problem& problem) {
        const bool strided = problem.lines.stride > 1 || problem.columns.stride > 1;
        if (problem.lanes == 16 && problem.groups == 1 && strided && !problem.scattered())
            return Support::no(
                "estimated to be no faster than oneDNN with AVX-512 where strides are taken in one group");
        return {};
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        const Problem problem = transposed::problem_of(request).value();
        auto kernel = problem.depthwise()   ? transposed::prepare_depthwise(request, provider, problem)
                      : problem.scattered() ? transposed::prepare_scattered(request, provider, problem)
                                            : transposed::prepare_products(request, provider, problem);
        return finish_packed(std::move(kernel), request, provider, refusal);
    }
};

}  // namespace

const Kernel& transposed_kernel() {
    static const Transposed kernel;
    return kernel;
}

}  // namespace seq::cpu
