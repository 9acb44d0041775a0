#include "kernels/reference/reference.hpp"

#include "kernels/cpu/kernels.hpp"

namespace seq::cpu {
namespace {

/// The views of one session, bound to pointers anew in each run.
struct ReferenceState final : KernelState {
    std::vector<TensorView> inputs;
    std::vector<TensorView> outputs;
};

TensorView view_of(const Placed& placed) { return TensorView::dense(nullptr, placed.dtype, placed.sizes); }

class PreparedReference final : public PreparedKernel {
   public:
    explicit PreparedReference(const KernelRequest& request)
        : node_(request.node), inputs_(request.inputs), outputs_(request.outputs) {
        description = "plain loops";
        ignores_nonfinite = true;
        input_layouts.assign(inputs_.size(), Layout::plain());
        output_layouts.assign(outputs_.size(), Layout::plain());
        for (int i = 0; i < static_cast<int>(inputs_.size()); ++i) {
            if (request.is_weight(i)) plain_weights.push_back(i);
        }
    }

    std::unique_ptr<KernelState> make_state() const override {
        auto state = std::make_unique<ReferenceState>();
        for (const Placed& input : inputs_) state->inputs.push_back(view_of(input));
        for (const Placed& output : outputs_) state->outputs.push_back(view_of(output));
        return state;
    }

    void run(const RunContext& context) const override {
        auto& state = static_cast<ReferenceState&>(*context.state);
        for (std::size_t i = 0; i < state.inputs.size(); ++i) state.inputs[i].data = context.inputs[i];
        for (std::size_t i = 0; i < state.outputs.size(); ++i) state.outputs[i].data = context.outputs[i];
        reference::run(node_, state.inputs, state.outputs);
    }

   private:
    const Node& node_;
    std::vector<Placed> inputs_;
    std::vector<Placed> outputs_;
};

class Reference final : public Kernel {
   public:
    std::string_view name() const override { return "reference"; }

    Support supports(const KernelRequest& request) const override {
        std::string missing;
        return reference::supports(request.node, &missing) ? Support{}
                                                           : Support::no("there are no plain loops for " + missing);
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider&,
                                            std::string&) const override {
        return std::make_unique<PreparedReference>(request);
    }
};

}  // namespace

const Kernel& reference_kernel() {
    static const Reference kernel;
    return kernel;
}

}  // namespace seq::cpu
