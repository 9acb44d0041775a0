#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cpu/elementwise/chain.hpp"
#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu {

/// A kernel written here: `compute` gives the node's own result, and the epilogue runs over it in a second pass.
class OwnKernel : public PreparedKernel {
   public:
    OwnKernel() { ignores_nonfinite = true; }
    void run(const RunContext& context) const final {
        compute(context);
        if (epilogue) epilogue->run(context.inputs, static_cast<float*>(context.outputs[0]));
    }
    virtual void compute(const RunContext& context) const = 0;

    std::optional<ElementwiseChain> epilogue;
};

/// Whether an operand has the result's rank and channels, so that it may lie as the result does.
bool follows(const Placed& operand, const Placed& output);

/// The node's inputs where its result lies in `layout`: those that have the result's rank and channels in the same
/// layout, weights and all others plain.
std::vector<Placed> place_inputs(const KernelRequest& request, const Layout& layout);

/// The output as it lies in `layout`.
Placed place_output(const KernelRequest& request, const Layout& layout, int output = 0);

/// Sets the layouts of `kernel`, whose inputs are as `inputs` has them, and its description, and builds its epilogue.
/// False, with the reason, where that cannot be.
bool finish_own(OwnKernel& kernel, const KernelRequest& request, WeightProvider& weights,
                const std::vector<Placed>& inputs, const Layout& output, std::string& refusal);

/// Whether every float among data inputs, parameters and outputs is f32, and all else too where `all` is set.
bool is_f32(const KernelRequest& request);

/// The layout of data input 0.
inline const Layout& offered_layout(const KernelRequest& request) { return request.inputs[0].layout; }

}  // namespace seq::cpu
