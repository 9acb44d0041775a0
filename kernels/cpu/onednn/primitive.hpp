#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cpu/elementwise/chain.hpp"
#include "kernels/cpu/onednn/bare_form.hpp"
#include "kernels/cpu/onednn/post_ops.hpp"
#include "kernels/cpu/own_kernel.hpp"

namespace seq::onednn {

/// A primitive and what follows it. Where it would lose or spread NaN and the run has some, its bare form runs instead
/// and the whole epilogue after it.
class PreparedPrimitive final : public PreparedKernel {
   public:
    std::unique_ptr<KernelState> make_state() const override;
    void run(const RunContext& context) const override;

    /// With the fused epilogue.
    dnnl::primitive primitive;
    std::vector<Argument> arguments;
    /// What of the epilogue is not fused.
    std::optional<cpu::ElementwiseChain> rest;

    /// Describes the bare form, where there is one, for the first run that needs it; its arguments, without a
    /// scratchpad; and the whole epilogue.
    std::function<dnnl::primitive_desc_base()> describe_bare;
    std::vector<Argument> bare_arguments;
    std::optional<cpu::ElementwiseChain> epilogue;

   private:
    void run_bare(const RunContext& context) const;

    mutable std::once_flag bare_made_;
    mutable std::optional<BareForm> bare_;
};

/// What PreparedPrimitive::describe_bare is to be, and whether it is needed: the same primitive without an epilogue.
struct BareDescription {
    bool needed = false;
    std::function<dnnl::primitive_desc_base()> describe;
};

/// Puts a PreparedPrimitive together: arguments, packed weights, scratchpad, epilogue, layouts.
class PrimitiveBuilder {
   public:
    PrimitiveBuilder(const KernelRequest& request, WeightProvider& weights)
        : request_(request),
          weights_(weights),
          kernel_(std::make_unique<PreparedPrimitive>()),
          placed_(request.inputs) {
        for (Placed& placed : placed_) placed = in_order(placed, Layout::plain());
    }

    /// Data input `input`, which lies as `desc` has it.
    void input(int argument, const MemoryDesc& desc, int input, const Layout& layout);
    /// A weight: its plain elements lie as `plain` has it, the primitive reads `packed`.
    void weight(int argument, const MemoryDesc& plain, const MemoryDesc& packed, int input);
    /// In the order of `layout`, kept as the request says.
    void output(int argument, const MemoryDesc& desc, const Layout& layout);

    /// Makes the primitive and adds its fused epilogue and what is left of the epilogue. `bare.describe` is kept.
    /// nullptr where that cannot be, with the reason.
    std::unique_ptr<PreparedKernel> finish(const dnnl::primitive_desc_base& desc, const FusedEpilogue& fused,
                                           BareDescription bare, std::string& refusal);

   private:
    bool add_operands(const dnnl::primitive_desc_base& desc, const FusedEpilogue& fused, std::string& refusal);
    void add_scratch(const dnnl::primitive_desc_base& desc);
    bool add_chain(std::optional<cpu::ElementwiseChain>& chain, std::size_t first, std::string& refusal);

    const KernelRequest& request_;
    WeightProvider& weights_;
    std::unique_ptr<PreparedPrimitive> kernel_;
    std::vector<Placed> placed_;
    Placed output_;
};

/// "oneDNN brgconv:avx512_core"
std::string describe_implementation(const dnnl::primitive_desc_base& desc);

/// Whether oneDNN would run its plain loops.
bool is_plain_loops(const dnnl::primitive_desc_base& desc);

}  // namespace seq::onednn
