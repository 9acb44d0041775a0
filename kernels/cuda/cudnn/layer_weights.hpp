#pragma once

#include "kernels/cuda/cudnn/node_layer.hpp"

namespace seq::cuda {

/// The weight of a layer, dense in PyTorch's order and f32, as the form takes it: in its type, of convolutions with the
/// channels of one kernel's element innermost, and zeros for those that the layer has not.
PackedWeights pack_weight(const TensorView& plain, const NodeLayer& node, const LayerForm& form);
std::size_t weight_bytes(const NodeLayer& node, const LayerForm& form);

/// The bias in the type of the layer's tensors.
PackedWeights pack_bias(const TensorView& plain, const NodeLayer& node);
std::size_t bias_bytes(const NodeLayer& node);

}  // namespace seq::cuda
