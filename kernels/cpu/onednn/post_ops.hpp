#pragma once

#include <vector>

#include "kernels/cpu/onednn/memory.hpp"

namespace seq::onednn {

/// A result as a primitive sees it.
struct FusionTarget {
    Dims dims;
    /// The dimension of the node's output that is dims[1].
    int channel_dim = 1;
    /// Tensors are combined only where the layout is known or may be any; Linear's flattened result is plain.
    MemoryDesc desc;
};

/// The part of an epilogue that a primitive does itself.
struct FusedEpilogue {
    struct Operand {
        int argument = 0;  ///< of the primitive
        int input = 0;     ///< of the node
        MemoryDesc desc;   ///< may be "any" until the primitive is made
        bool whole = false;
    };
    dnnl::primitive_attr attributes;
    std::vector<Operand> operands;
    /// How many ops of the epilogue, from the first on.
    std::size_t count = 0;
    /// oneDNN's eltwise functions turn NaN into numbers.
    bool loses_nan = false;
};

/// Attributes without post-ops, with a scratchpad that the caller gives.
dnnl::primitive_attr plain_attributes();

/// Fuses as many ops of the node's epilogue as oneDNN can express and its fast implementations take. Whether one of
/// those is what it chooses, its description tells.
FusedEpilogue fuse_epilogue(const KernelRequest& request, const FusionTarget& target);

/// Of an epilogue that is left to our own code as a whole.
FusedEpilogue no_fusion();

}  // namespace seq::onednn
