#pragma once

#include <vector>

#include "graph/tensor.hpp"
#include "kernels/cpu/onednn/arguments.hpp"

namespace seq::onednn {

/// A primitive for runs that hold NaN or Inf. Where it wants an operand otherwise than that lies, the operand is
/// reordered: weights when the form is made, what it reads before it in each run, what it writes after it.
class BareForm {
   public:
    /// `arguments`: the operands as they lie, without a scratchpad.
    BareForm(const dnnl::primitive_desc_base& desc, const std::vector<Argument>& arguments);

    /// Memory and handles of one session. The form outlives it and stays where it is.
    struct State {
        Tensor scratch;
        std::vector<BoundArguments> stages;
    };
    State make_state() const;
    void run(State& state, dnnl_stream_t stream, const RunContext& context) const;

   private:
    struct Stage {
        dnnl::primitive primitive;
        std::vector<Argument> arguments;
    };
    Argument reserve(int argument, const MemoryDesc& desc);
    void add_stage(const dnnl::primitive_desc_base& desc, std::vector<Argument> arguments);
    void add_reorder(const Argument& from, const Argument& to);

    std::vector<Stage> stages_;
    std::size_t scratch_bytes_ = 0;
};

}  // namespace seq::onednn
