#include "kernels/cpu/onednn/convolution.hpp"

#include <vector>

#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/move/gather.hpp"
#include "kernels/cpu/move/pad_positions.hpp"

namespace seq::onednn {
namespace {

struct PaddedState final : KernelState {
    std::unique_ptr<KernelState> convolution;
    std::vector<void*> inputs;
};

/// A pad into scratch memory, then the convolution of what is there.
class PreparedPaddedConvolution final : public PreparedKernel {
   public:
    PreparedPaddedConvolution(cpu::Gather pad, std::size_t padded_bytes, std::unique_ptr<PreparedKernel> convolution)
        : pad_(std::move(pad)), convolution_(std::move(convolution)) {
        constexpr std::size_t alignment = 64;
        offset_ = (padded_bytes + alignment - 1) / alignment * alignment;
        description = "own pad, " + convolution_->description;
        input_layouts = convolution_->input_layouts;
        output_layouts = convolution_->output_layouts;
        plain_weights = convolution_->plain_weights;
        packed_bytes = convolution_->packed_bytes;
        ignores_nonfinite = convolution_->ignores_nonfinite;
        is_plain_loops = convolution_->is_plain_loops;
        scratch_bytes = offset_ + convolution_->scratch_bytes;
    }

    std::unique_ptr<KernelState> make_state() const override {
        auto state = std::make_unique<PaddedState>();
        state->convolution = convolution_->make_state();
        state->inputs.resize(input_layouts.size());
        return state;
    }

    void run(const RunContext& context) const override {
        auto& state = static_cast<PaddedState&>(*context.state);
        pad_.run(context.inputs[0], context.scratch);
        std::copy(context.inputs, context.inputs + state.inputs.size(), state.inputs.begin());
        state.inputs[0] = context.scratch;
        RunContext inner = context;
        inner.inputs = state.inputs.data();
        inner.scratch = context.scratch + offset_;
        inner.state = state.convolution.get();
        convolution_->run(inner);
    }

   private:
    cpu::Gather pad_;
    std::unique_ptr<PreparedKernel> convolution_;
    std::size_t offset_ = 0;
};

ops::PadMode pad_mode(const std::string& padding_mode) {
    if (padding_mode == "reflect") return ops::PadMode::reflect;
    return padding_mode == "replicate" ? ops::PadMode::replicate : ops::PadMode::circular;
}

/// The convolutions whose padding is not of zeros.
class PaddedConvolution final : public Kernel {
   public:
    std::string_view name() const override { return "onednn.padded_convolution"; }
    bool takes_lowered() const override { return true; }

    Support supports(const KernelRequest& request) const override {
        auto problem = convolution_problem(request);
        if (!problem || problem->padding_mode == "zeros")
            return Support::no("takes convolutions with a padding_mode other than zeros alone");
        problem->padding_mode = "zeros";
        return supports_convolution(request, *problem);
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        ConvolutionProblem problem = convolution_problem(request).value();
        KernelRequest padded = request;
        Placed& input = padded.inputs[0];
        std::vector<cpu::PositionMap> maps{cpu::identity_map(input.sizes[0]), cpu::identity_map(input.sizes[1])};
        for (std::size_t i = 0; i < problem.strides.size(); ++i) {
            const ops::PadAmount amount{problem.padding_before[i], problem.padding_after[i]};
            maps.push_back(cpu::padded_positions(pad_mode(problem.padding_mode), amount, input.sizes[i + 2]));
            input.sizes[i + 2] = static_cast<std::int64_t>(maps.back().size());
            problem.padding_before[i] = problem.padding_after[i] = 0;
        }
        auto convolution = prepare_convolution(padded, weights, problem, refusal);
        if (!convolution) return nullptr;
        input = input.in(convolution->input_layouts[0]);
        const Placed whole = request.inputs[0].in(input.layout);
        const auto bytes = static_cast<std::size_t>(input.byte_count());
        return std::make_unique<PreparedPaddedConvolution>(cpu::Gather(whole, input, maps, {}), bytes,
                                                           std::move(convolution));
    }
};

}  // namespace
}  // namespace seq::onednn

namespace seq::cpu {

const Kernel& padded_convolution_kernel() {
    static const onednn::PaddedConvolution kernel;
    return kernel;
}

}  // namespace seq::cpu
