#pragma once

#include "kernels/cuda/cudnn/node_layer.hpp"

namespace seq::cuda {

/// The weight of a layer, dense in PyTorch's order and f32, as the form takes it: in its type, of convolutions with the
/// channels of one kernel's element innermost, and zeros for those that the layer has not.
std::vector<std::byte> pack_weight(const TensorView& plain, const NodeLayer& node, const LayerForm& form);

/// The bias in the type of the layer's tensors.
std::vector<std::byte> pack_bias(const TensorView& plain, const NodeLayer& node);

/// As many zeros as the layer has output channels, in the same type.
std::vector<std::byte> zero_bias(const NodeLayer& node);

}  // namespace seq::cuda
