#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cpu/elementwise/chain.hpp"
#include "kernels/cpu/fused_head.hpp"
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
        if (epilogue) epilogue->run(context.inputs, context.outputs[0]);
    }
    virtual void compute(const RunContext& context) const = 0;

    std::optional<ElementwiseChain> epilogue;
};

/// Whether an operand has the result's rank and channels, so that it may lie as the result does.
bool follows(const Placed& operand, const Placed& output);

/// The node's inputs where its result lies in `layout`: those that have the result's rank and channels in the same
/// order, weights and all others plain; each kept in the type in which it was offered.
std::vector<Placed> place_inputs(const KernelRequest& request, const Layout& layout);

/// The output in the order of `layout`, kept as the request says.
Placed place_output(const KernelRequest& request, const Layout& layout, int output = 0);

/// Puts what the node's epilogue does from op `first` on to `output` into `rest`, where it does anything, and the
/// weights that it reads plain into `kernel`. False, with the reason, where that cannot be.
bool append_rest(std::optional<ElementwiseChain>& rest, PreparedKernel& kernel, const KernelRequest& request,
                 WeightProvider& weights, const std::vector<Placed>& inputs, const Placed& output, std::size_t first,
                 std::string& refusal);

/// For a kernel that does `head` itself, takes input 0 in the order of `input` and gives `output`: sets its layouts,
/// lets it write over the residual, and puts what the epilogue does after the head into `rest`. False, with the reason,
/// where that cannot be.
bool place_fused(PreparedKernel& kernel, const FusedHead& head, std::optional<ElementwiseChain>& rest,
                 const KernelRequest& request, WeightProvider& weights, const Layout& input, const Layout& output,
                 std::string& refusal);

/// Ends the preparing of a kernel of packed weights and channels innermost: place_fused, unless the weights are known
/// and were refused.
template <typename Prepared>
std::unique_ptr<PreparedKernel> finish_packed(std::unique_ptr<Prepared> kernel, const KernelRequest& request,
                                              WeightProvider& provider, std::string& refusal) {
    if (!kernel->has_weights() && provider.available(*request.node.parameter("weight"))) {
        refusal = "the weights hold NaN, Inf or numbers near overflow";
        return nullptr;
    }
    const Layout layout = Layout::channels_last();
    if (!place_fused(*kernel, kernel->head, kernel->rest, request, provider, layout, layout, refusal)) return nullptr;
    return kernel;
}

/// Sets the layouts of `kernel`, whose inputs are as `inputs` has them, and its description, and builds its epilogue.
/// False, with the reason, where that cannot be.
bool finish_own(OwnKernel& kernel, const KernelRequest& request, WeightProvider& weights,
                const std::vector<Placed>& inputs, const Layout& output, std::string& refusal);

/// Whether every parameter of the node is known before the run.
bool has_known_parameters(const KernelRequest& request);

/// Whether every float among data inputs, parameters and outputs is f32, and all else too where `all` is set.
bool is_f32(const KernelRequest& request);

/// What kernels need that multiply f32 by weights which they packed, in vectors. `macs`: 0 where there is nothing to
/// do.
Support supports_packed_f32(const KernelRequest& request, double macs);

/// Whether all inputs and outputs are f32 values, however they are kept.
bool is_f32_kept(const KernelRequest& request);

/// The order in which data input 0 comes.
inline Layout offered_layout(const KernelRequest& request) { return request.inputs[0].layout.order(); }

}  // namespace seq::cpu
