#pragma once

#include <string>
#include <vector>

#include "kernels/cuda/own/epilogue.hpp"
#include "kernels/kernel.hpp"

namespace seq::cuda::own {

/// A kernel written here. `launch` hands the node's own work to the queue; what it does not do of the epilogue itself
/// comes after it.
class OwnKernel : public PreparedKernel {
   public:
    OwnKernel() { ignores_nonfinite = true; }
    void run(const RunContext& context) const final {
        launch(context);
        if (fuses_epilogue) {
            epilogue.launch_rest(*context.queue, context.inputs, context.outputs[0]);
        } else {
            epilogue.launch(*context.queue, context.inputs, context.outputs[0]);
        }
    }
    virtual void launch(const RunContext& context) const = 0;

    /// A walk that reads input 0, writes output 0 and has the fused epilogue, with a run's memory.
    template <class Walk>
    Walk bound(Walk walk, const RunContext& context) const {
        walk.source = context.inputs[0];
        walk.target = context.outputs[0];
        walk.epilogue = epilogue.fused(context.inputs);
        return walk;
    }

    ProgramChain epilogue;
    /// Whether `launch` evaluates ProgramChain::fused on what it writes.
    bool fuses_epilogue = false;
};

/// What takes some ops and has one way to run them in each order in which data may come.
class OwnKernelFamily : public Kernel {
   public:
    bool takes_lowered() const override { return true; }
    /// nullptr, with the reason in `refusal`, where it cannot in that order: it is then asked for the plain one.
    virtual std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& order,
                                            std::string& refusal) const = 0;
    /// Lets a kernel that was made take weights as it wants them.
    virtual void pack(OwnKernel&, const KernelRequest&, WeightProvider&) const {}
    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override;
};

/// The order in which most of the elements of the data inputs come: plain or channels_last.
Layout prevailing_order(const KernelRequest& request);

/// The node's inputs where its result lies in `order`: those that are no weights and have the result's rank and
/// channels in the same order, all others plain; each kept as it was offered, but parameters, which are f32.
std::vector<Placed> place_inputs(const KernelRequest& request, const Layout& order);

/// The same, with the float data inputs kept as the result is.
std::vector<Placed> place_alike(const KernelRequest& request, const Layout& order);

/// The same for what multiplies matrices: data inputs are rounded as the math mode says, where it does.
std::vector<Placed> place_factors(const KernelRequest& request, const Layout& order);

/// As which what multiplies matrices multiplies.
Storage factor_storage(const KernelRequest& request);

Placed place_output(const KernelRequest& request, const Layout& order, int output = 0);

/// Sets the layouts of `kernel`, whose inputs are as `inputs` has them, the weights that it reads, all of them, and its
/// epilogue from op `first` on. `may_share`: it writes over input 0 where that lies as the result does. False, with the
/// reason, where that cannot be.
bool finish_own(OwnKernel& kernel, const KernelRequest& request, const std::vector<Placed>& inputs, const Layout& order,
                std::string& refusal, std::size_t first = 0, bool may_share = false);

/// Whether the data inputs, parameters and outputs are f32 values, however they are kept, and weights plain ones.
Support takes_floats(const KernelRequest& request);

/// Input `i` of the run.
template <class T = float>
const T* input_of(const RunContext& context, int i) {
    return static_cast<const T*>(context.inputs[i]);
}

/// The index in node.inputs of a parameter; -1 where there is none of that name.
int parameter_index(const Node& node, std::string_view name);

/// A parameter's elements; nullptr where there is none.
inline const float* parameter_of(const RunContext& context, int index) {
    return index < 0 ? nullptr : input_of(context, index);
}

}  // namespace seq::cuda::own
