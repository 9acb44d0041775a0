#pragma once

#include <map>

#include "graph/ir.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// Whether the op multiplies matrices: convolutions, transposed ones, Linear and MatMul, which is what ComputeOptions
/// ::dtype lowers.
bool multiplies_matrices(const Op& op);

/// A request as a kernel takes it: in f32 where it takes nothing else. What multiplies matrices in f32 alone does not
/// serve where they are to be bf16, unless it is the backend's last.
struct OfferedRequest {
    OfferedRequest(const Kernel& kernel, const KernelRequest& request, const Backend& backend);
    KernelRequest request;
    Support support;
};

/// Which values are kept as bf16 between their nodes where ComputeOptions::dtype is bf16.
class Lowering {
   public:
    Lowering(const Graph& graph, const Backend& backend, const ComputeOptions& options)
        : graph_(graph), backend_(backend), options_(options) {}

    /// Whether a node that computes the value best leaves it as bf16: it is no output of the graph, and a kernel that
    /// takes bf16 uses it.
    bool keeps_bf16(const Value& value);
    /// Whether a kernel that reads bf16 may run the node.
    bool takes_bf16(const Node& node);

   private:
    const Graph& graph_;
    const Backend& backend_;
    const ComputeOptions& options_;
    std::map<const Node*, bool> takers_;
};

}  // namespace seq
