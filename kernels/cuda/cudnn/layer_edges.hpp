#pragma once

#include "kernels/cuda/cudnn/prepared_layer.hpp"

namespace seq::cuda {

/// Copies input 0, [N, C, ...] with its channels innermost, as one with `channels` of them, the further ones zeros.
std::unique_ptr<const LayerEdge> make_widening(const std::vector<std::int64_t>& sizes, std::int64_t channels,
                                               DType type);

/// What a form leaves of a node: the bias where `with_bias`, and the epilogue from op `first` on. Sets where `kernel`
/// has the operands, and which weights it reads plain. nullptr, with the reason, where it cannot be done.
std::unique_ptr<const LayerEdge> make_rest(const KernelRequest& request, const NodeLayer& node, std::size_t first,
                                           bool with_bias, PreparedKernel& kernel, std::string& refusal);

}  // namespace seq::cuda
