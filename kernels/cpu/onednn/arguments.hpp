#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/onednn/memory.hpp"

namespace seq::onednn {

/// One operand of a primitive and where it comes from in a run.
struct Argument {
    enum class From : std::uint8_t { input, output, kept, scratch };
    int index = 0;
    MemoryDesc desc;
    From from = From::input;
    std::size_t position = 0;  ///< of the node's inputs or outputs; in scratch, in bytes
    PackedWeights kept;
};

/// In scratch memory, `position` bytes from its start.
inline Argument scratch_argument(int index, const MemoryDesc& desc, std::size_t position = 0) {
    return {index, desc, Argument::From::scratch, position, {}};
}

/// The memory objects of the operands, which outlive them, bound to pointers anew in each run.
class BoundArguments {
   public:
    explicit BoundArguments(const std::vector<Argument>& arguments);
    void execute(const dnnl::primitive& primitive, dnnl_stream_t stream, const RunContext& context);

   private:
    const std::vector<Argument>& arguments_;
    std::vector<dnnl::memory> memories_;
    std::vector<dnnl_exec_arg_t> bound_;
};

}  // namespace seq::onednn
