#pragma once

#include <map>

#include "graph/ir.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// Whether the op multiplies matrices: convolutions, transposed ones, Linear and MatMul, which is what ComputeOptions
/// ::dtype lowers.
bool multiplies_matrices(const Op& op);

/// A request as a kernel takes it: in f32 where it takes nothing else. What multiplies matrices in f32 alone does not
/// serve where they are to be rounded, unless it is the backend's last.
struct OfferedRequest {
    OfferedRequest(const Kernel& kernel, const KernelRequest& request, const Backend& backend);
    KernelRequest request;
    Support support;
};

/// How values are kept between their nodes where ComputeOptions::dtype is f16 or bf16.
class KeptDtypes {
   public:
    KeptDtypes(const Graph& graph, const Backend& backend, const ComputeOptions& options)
        : graph_(graph), backend_(backend), options_(options) {}

    /// How a node that computes the value best leaves it: rounded where it is no output of the graph, and a kernel that
    /// takes it so uses it.
    Kept kept(const Value& value) { return keeps_lowered(value) ? kept_in(options_.dtype) : Kept::own; }
    /// Whether a kernel that reads rounded values may run the node.
    bool takes_lowered(const Node& node);

   private:
    bool keeps_lowered(const Value& value);

    const Graph& graph_;
    const Backend& backend_;
    const ComputeOptions& options_;
    std::map<const Node*, bool> takers_;
};

}  // namespace seq
