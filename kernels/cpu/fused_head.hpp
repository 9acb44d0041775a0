#pragma once

#include <limits>

#include "kernels/cpu/elementwise/functions.hpp"
#include "kernels/cpu/fused_function.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu {

/// The ops at the head of a node's epilogue that a kernel does to its result while it is in registers: + residual, then
/// into [low, high], then `function`.
struct FusedHead {
    int residual = -1;  ///< the node's input; it has the output's sizes
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
    /// Unary::copy where there is none.
    UnaryCall function;
    /// How many ops of the epilogue.
    std::size_t count = 0;
};

/// `takes` says which functions besides ReLU and Hardtanh the kernel has.
FusedHead fuse_head(const KernelRequest& request, bool (*takes)(Unary function));
/// The same for kernels that add no residual: nothing where the head has one.
FusedHead fuse_head_without_residual(const KernelRequest& request, bool (*takes)(Unary function));

/// What the head does besides adding the residual.
SumEpilogue sum_epilogue(const FusedHead& head, Isa isa);

}  // namespace seq::cpu
